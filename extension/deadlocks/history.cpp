#include "deadlocks/history.hpp"

#include "activity/kept_text.hpp"
#include "core/deadlock/advice.hpp"
#include "core/deadlock/pattern.hpp"
#include "core/sql_error.hpp"
#include "deadlocks/ring.h"
#include "lock_graph/waited_rows.hpp"
#include "pg/digest.hpp"

#include <algorithm>

namespace lockstep {

namespace {

// Keys of rows so long ago are not asked for: the numbers of transactions go round.
constexpr std::uint64_t longest_past = 1U << 30U;

lock_object object_of(const deadlock_lock &lock) {
    lock_object object{};
    object.field1 = lock.field1;
    object.field2 = lock.field2;
    object.field3 = lock.field3;
    object.field4 = lock.field4;
    object.type = lock.type;
    object.method = lock.method;
    return object;
}

std::uint8_t method_of(const deadlock_session &seen) {
    return seen.lock.method == 0 ? DEFAULT_LOCKMETHOD : seen.lock.method;
}

deadlock::wanted wanted_of(const deadlocked &one) {
    using deadlock::wanted;
    if (one.at.row && !one.from_context)
        return wanted::row;
    switch (one.seen->lock.method == 0 ? -1 : one.seen->lock.type) {
    case LOCKTAG_TRANSACTION:
    case LOCKTAG_SPECULATIVE_TOKEN: return wanted::transaction;
    case LOCKTAG_RELATION: return wanted::relation;
    case LOCKTAG_ADVISORY: return wanted::advisory;
    default: return wanted::other;
    }
}

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

std::string place_text(const deadlocked &one) {
    if (!one.at.row)
        return {};
    return '(' + number(ItemPointerGetBlockNumberNoCheck(&*one.at.row)) + ',' +
           number(ItemPointerGetOffsetNumberNoCheck(&*one.at.row)) + ')';
}

std::string relation_name(const deadlocked &one, catalogs &names) {
    if (one.at.relation == InvalidOid)
        return {};
    if (catalogs::is_ours(one.at.database))
        return names.relation_name(one.at.database, one.at.relation);
    return "relation " + number(one.at.relation) + " of database " + number(one.at.database);
}

} // namespace

void require_deadlock_history() {
    if (!lockstep_has_deadlock_ring())
        throw sql_error(state::prerequisite_state, "there is no history of deadlocks", {},
                        "Add lockstep to shared_preload_libraries and restart the server.");
}

const char *finder_name(std::int32_t found_by) {
    switch (found_by) {
    case DEADLOCK_FOUND_BY_TIMEOUT: return "timeout";
    case DEADLOCK_FOUND_IMMEDIATELY: return "immediate";
    default: return "reorder";
    }
}

const char *fate_name(const deadlock_record &one) {
    switch (one.fate) {
    case DEADLOCK_ABORTED: return "aborted";
    case DEADLOCK_TRAPPED: return "trapped";
    case DEADLOCK_SAVEPOINT: return "savepoint";
    case DEADLOCK_RETRIED: return "retried";
    default: return one.found_by == DEADLOCK_RESOLVED_BY_REORDER ? "avoided" : nullptr;
    }
}

std::string remembered_deadlock::signature(catalogs &names) const {
    std::vector<deadlock::crossing> cycle;
    for (const deadlocked &one : members()) {
        if (one.is_hidden)
            return {};
        cycle.push_back({deadlock::without_values(one.query),
                         std::string{one.mode == nullptr ? "" : one.mode} + ' ' + one.at.lock.type +
                             ' ' + (one.from_context ? "" : relation_name(one, names)) +
                             (one.at.relation == InvalidOid ? one.at.lock.advisory_key : "")});
    }
    const std::string pattern = deadlock::pattern_of(cycle);
    const auto digest =
        sha1({reinterpret_cast<const std::uint8_t *>(pattern.data()), pattern.size()}, {});
    constexpr std::size_t shown = 8;
    std::string text;
    for (const std::uint8_t byte : std::span{digest}.first(shown)) {
        constexpr const char *digits = "0123456789abcdef";
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

std::string remembered_deadlock::advice(catalogs &names) const {
    std::vector<deadlock::member_wait> cycle;
    for (const deadlocked &one : members())
        cycle.push_back({wanted_of(one), relation_name(one, names), place_text(one),
                         one.at.row && !one.from_context ? std::string{} : one.at.lock.text,
                         !one.is_hidden && deadlock::is_insert(one.query)});
    return deadlock::advice_for(cycle);
}

deadlock_history::deadlock_history(std::optional<std::int64_t> only)
    : names_(), sessions_(names_.readable()) {
    require_deadlock_history();
    deadlock_record *records = nullptr;
    const std::int32_t count = pg_call([&records] { return lockstep_copy_deadlocks(&records); });
    for (std::int32_t i = 0; i < count; ++i)
        if (!only || records[i].id == *only)
            add(records[i]);
    look_up_keys();
}

deadlocked deadlock_history::describe(const deadlock_session &seen) {
    deadlocked one{};
    one.seen = &seen;
    one.is_hidden =
        seen.role == InvalidOid ? !sessions_.may_see_all() : !sessions_.may_see(seen.role);
    one.mode = seen.mode == 0 ? nullptr : GetLockmodeName(method_of(seen), seen.mode);
    one.blocker_modes = mode_names(method_of(seen), seen.blocker_held);
    one.application = kept_text(seen.application);
    one.query = kept_text(seen.query);
    one.status = row_status::unknown;
    if (seen.lock.method != 0)
        one.at = wanted_at(object_of(seen.lock),
                           {seen.row_database, seen.row_relation, seen.row_block, seen.row_offset},
                           names_);
    return one;
}

// Another relation may have the name by now, so nothing rests on it but what is shown.
void deadlock_history::add_said_row(deadlocked &victim, const deadlock_record &one) {
    const Oid found = only_relation_named(one.said.relation);
    if (found == InvalidOid)
        return;
    const Oid table = pg_call([found] { return IndexGetRelation(found, true); });
    victim.from_context = true;
    victim.at.relation = table == InvalidOid ? found : table;
    victim.at.database = one.database;
    victim.at.row.emplace();
    ItemPointerSet(&*victim.at.row, one.said.block, one.said.offset);
}

void deadlock_history::add(const deadlock_record &one) {
    remembered_deadlock made{&one, {}, kept_text(one.context)};
    for (std::int32_t i = 0; i < one.members + one.bystanders; ++i)
        made.sessions.push_back(describe(one.sessions[i]));
    deadlocked &victim = made.sessions.front();
    if (!victim.at.row && !victim.is_hidden && victim.at.relation == InvalidOid &&
        one.said.relation[0] != '\0' && one.database == MyDatabaseId && names_.readable())
        add_said_row(victim, one);
    deadlocks_.push_back(std::move(made));
    check_interrupts();
}

// Relation by relation, so that each is opened once.
void deadlock_history::look_up_keys() {
    struct asked {
        deadlocked *who;
        TransactionId before;
    };
    const std::uint64_t now =
        pg_call([] { return U64FromFullTransactionId(ReadNextFullTransactionId()); });
    std::vector<asked> all;
    for (remembered_deadlock &deadlock : deadlocks_)
        for (deadlocked &one : deadlock.sessions) {
            if (!one.at.row)
                continue;
            one.status = row_status::moved;
            if (!catalogs::is_ours(one.at.database))
                one.status = row_status::other_db;
            else if (!names_.readable())
                one.status = row_status::relation_locked;
            else if (deadlock.seen->next_xid <= now && now - deadlock.seen->next_xid < longest_past)
                all.push_back({&one, static_cast<TransactionId>(deadlock.seen->next_xid)});
        }
    std::ranges::stable_sort(all, {}, [](const asked &one) { return one.who->at.relation; });
    std::vector<row_look> looks;
    for (auto from = all.begin(); from != all.end();) {
        const Oid relation = from->who->at.relation;
        const auto to = std::find_if(
            from, all.end(), [=](const asked &one) { return one.who->at.relation != relation; });
        looks.clear();
        for (auto one = from; one != to; ++one)
            looks.push_back({*one->who->at.row, InvalidTransactionId, false, row_status::unknown,
                             nullptr, nullptr, 0, one->before});
        look_at_rows(relation, looks);
        for (auto one = from; one != to; ++one) {
            const row_look &look = looks[static_cast<std::size_t>(one - from)];
            one->who->status = look.status;
            one->who->key = look.key;
        }
        from = to;
        check_interrupts();
    }
    for (remembered_deadlock &deadlock : deadlocks_)
        for (deadlocked &one : deadlock.sessions)
            one.wanted = one.at.row ? row_text(one.at.database, one.at.relation, *one.at.row,
                                               one.key, names_)
                                    : one.at.lock.text;
}

} // namespace lockstep
