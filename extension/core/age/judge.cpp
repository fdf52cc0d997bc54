#include "core/age/judge.hpp"

#include "core/words.hpp"

#include <algorithm>

namespace lockstep::age {

namespace {

void raise(finding &to, severity level, const std::string &reason) {
    if (level < to.level || level == severity::ok)
        return;
    if (level > to.level)
        to.reason.clear();
    to.level = level;
    to.reason += (to.reason.empty() ? "" : "; ") + reason;
}

std::string_view lasting(holder_kind kind) {
    switch (kind) {
    case holder_kind::idle_in_xact:
    case holder_kind::idle_in_xact_aborted: return "idle for ";
    case holder_kind::prepared: return "prepared for ";
    case holder_kind::walsender_feedback:
    case holder_kind::slot_physical:
    case holder_kind::slot_logical: return "held for ";
    default: return "running for ";
    }
}

void judge_time(holder_kind kind, std::int64_t lasts, bool holds_nothing, const limits &all,
                finding &to) {
    const auto limit = limits_of(kind, all);
    if (!limit)
        return;
    const auto say = [&](severity level, std::int64_t bound) {
        raise(to, level,
              std::string{lasting(kind)} + duration_text(lasts) + " (limit " +
                  duration_text(bound) + ')');
    };
    if (limit->critical >= 0 && lasts > limit->critical)
        say(holds_nothing ? severity::warning : severity::critical, limit->critical);
    else if (limit->warning >= 0 && lasts > limit->warning)
        say(severity::warning, limit->warning);
}

std::int64_t percent_of(std::int32_t percent, std::int64_t whole) {
    return whole / 100 * percent + whole % 100 * percent / 100;
}

std::string percent_text(std::int64_t part, std::int64_t whole) {
    return count_text(whole == 0 ? 100 : part * 100 / whole) + " % of autovacuum_freeze_max_age";
}

void judge_xids(const circumstances &seen, const limits &all, finding &to) {
    const std::int64_t held = *seen.xids;
    const std::string said = count_text(held) + " transactions back";
    const std::string share = said + " (" + percent_text(held, all.freeze_max_age) + ')';
    if (all.stops && blocks_freezing(seen, all))
        raise(to, severity::stop, said + ", and the server assigns no more transaction ids");
    else if (all.warns && blocks_freezing(seen, all))
        raise(to, severity::emergency, said + ", and the server is about to assign no more");
    else if (held >= all.failsafe_age)
        raise(to, severity::emergency,
              said + " (beyond the failsafe of " + count_text(all.failsafe_age) + ')');
    else if (held >= percent_of(all.held.critical, all.freeze_max_age))
        raise(to, severity::critical, share);
    else if (held >= percent_of(all.held.warning, all.freeze_max_age))
        raise(to, severity::warning, share);
    else if (held >= all.freeze_min_age)
        raise(to, severity::notice, said + " (beyond vacuum_freeze_min_age)");
}

// What the server itself calls extended, and what it is about to take away.
void judge_wal(std::int64_t wal, const limits &all, finding &to) {
    const std::string said = "keeps " + bytes_text(wal) + " of WAL (";
    if (all.slot_wal_size >= 0 && wal > all.slot_wal_size / 10 * 9)
        raise(to, severity::critical,
              said + "max_slot_wal_keep_size is " + bytes_text(all.slot_wal_size) + ')');
    else if (all.slot_wal_size < 0 && wal > percent_of(all.wal.critical, all.wal_size))
        raise(to, severity::critical,
              said + std::to_string(all.wal.critical) +
                  " % of max_wal_size are exceeded, and there is no limit)");
    else if (wal > percent_of(all.wal.warning, all.wal_size))
        raise(to, severity::warning, said + "max_wal_size is " + bytes_text(all.wal_size) + ')');
}

} // namespace

std::string_view severity_name(severity level) {
    switch (level) {
    case severity::ok: return "ok";
    case severity::unknown: return "unknown";
    case severity::notice: return "notice";
    case severity::warning: return "warning";
    case severity::critical: return "critical";
    case severity::emergency: return "emergency";
    case severity::stop: return "stop";
    }
    return "";
}

std::optional<time_limits> limits_of(holder_kind kind, const limits &all) {
    switch (kind) {
    case holder_kind::idle_in_xact:
    case holder_kind::idle_in_xact_aborted: return all.idle;
    case holder_kind::active:
    case holder_kind::fastpath:
    case holder_kind::standby_session: return all.active;
    case holder_kind::prepared: return all.prepared;
    case holder_kind::walsender_feedback: return all.feedback;
    case holder_kind::slot_physical:
    case holder_kind::slot_logical: return all.slot;
    default: return std::nullopt;
    }
}

bool blocks_freezing(const circumstances &seen, const limits &all) {
    return seen.is_blamed && seen.xids && *seen.xids >= all.freeze_max_age;
}

finding judge(holder_kind kind, const circumstances &seen, const limits &all) {
    finding found;
    if (seen.xids && seen.is_blamed)
        judge_xids(seen, all, found);
    if (seen.lasts)
        judge_time(kind, *seen.lasts, seen.holds_nothing, all, found);
    // One that does something now and then is as old as one that works.
    if (seen.open_for)
        judge_time(holder_kind::active, *seen.open_for, seen.holds_nothing, all, found);
    if (seen.blocking)
        raise(found,
              seen.blocking->severity == "critical"  ? severity::critical
              : seen.blocking->severity == "warning" ? severity::warning
                                                     : severity::notice,
              seen.blocking->reason);
    if (seen.wal)
        judge_wal(*seen.wal, all, found);
    if (seen.is_invalid)
        raise(found, severity::warning, "the server has invalidated it");
    if (seen.is_hidden && found.level == severity::ok)
        found.level = severity::unknown;
    return found;
}

finding judge_database(const database_age &seen, std::string_view what,
                       const percent_limits &late) {
    finding found;
    const std::string said = count_text(seen.age) + ' ' + std::string{what};
    if (seen.to_stop <= 0)
        raise(found, severity::stop, said + " old: the server assigns no more of them");
    else if (seen.to_warning <= 0)
        raise(found, severity::emergency,
              said + " old: the server stops after " + count_text(seen.to_stop) + " more");
    else if (seen.age >= seen.failsafe_age)
        raise(found, severity::emergency,
              said + " old (beyond the failsafe of " + count_text(seen.failsafe_age) + ')');
    else if (seen.age > 0 && seen.age >= percent_of(late.warning, seen.freeze_max_age))
        // Every database gets as old as the limit: that is when its autovacuum begins.
        raise(found,
              seen.is_held || seen.age >= percent_of(late.critical, seen.freeze_max_age)
                  ? severity::critical
                  : severity::warning,
              said + " old (autovacuum has not brought it below " +
                  count_text(seen.freeze_max_age) + ')');
    else if (seen.age > 0 && seen.age >= seen.freeze_max_age)
        raise(found, severity::notice, said + " old: due for autovacuum against wraparound");
    return found;
}

} // namespace lockstep::age
