#include "age/horizon_holders.hpp"

#include "age/history.h"
#include "age/holder_of.hpp"
#include "age/settings.hpp"
#include "core/age/advice.hpp"
#include "lock_graph/impact.hpp"
#include "lock_graph/remedy.hpp"
#include "lock_graph/settings.hpp"
#include "pg/catalog.hpp"
#include "pg/values.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace lockstep {

namespace {

using age::holder_kind;

std::size_t at(std::int32_t i) {
    return static_cast<std::size_t>(i);
}

// On a standby: the oldest transaction that its primary has not ended, as our snapshot knows it.
TransactionId oldest_on_primary() {
    return pg_call([] {
        if (!RecoveryInProgress() || !ActiveSnapshotSet())
            return InvalidTransactionId;
        const Snapshot now = GetActiveSnapshot();
        // An old snapshot knows of transactions that have ended since.
        return TransactionIdPrecedes(now->xmin, now->xmax) && TransactionIdIsInProgress(now->xmin)
                   ? now->xmin
                   : InvalidTransactionId;
    });
}

} // namespace

horizon_holders::horizon_holders()
    : now_(*pg_call([] { return lockstep_take_instant(true); })), graph_(graph::extent::hard_too),
      next_(next_place(now_)), limits_(age_settings::limits(now_.counters)) {
    add_processes();
    add_primary();
    add_slots();
    std::vector<age::horizon_holder> holders;
    for (const holder_row &one : holders_)
        holders.push_back(one.holder);
    std::vector<age::holding> held = age::holdings_of(holders, next_);
    for (std::size_t i = 0; i < holders_.size(); ++i) {
        holders_[i].gain = held[i].gain;
        holders_[i].held = std::move(held[i]);
    }
    add_temporary();
    blocking_.resize(holders_.size());
    find_blocked();
    for (holder_row &one : holders_)
        assess(one);
    const auto key = [this](const holder_row &one) {
        const age_process *process = process_of(one);
        return std::tuple{-static_cast<int>(one.found.level),
                          !one.waits_for.empty(),
                          one.oldest(),
                          one.holder.kind,
                          process == nullptr ? one.slot : process->process.pid,
                          one.tables};
    };
    std::ranges::sort(holders_,
                      [&](const holder_row &a, const holder_row &b) { return key(a) < key(b); });
}

void horizon_holders::add_processes() {
    std::vector<std::int32_t> row_of(at(now_.process_count), -1);
    for (std::int32_t i = 0; i < now_.process_count; ++i) {
        const age_process &one = now_.processes[i];
        const PgBackendStatus *status =
            one.process.prepared != 0 ? nullptr : graph_.activity().status_of(one.process.pid);
        const session who = graph_.activity().describe(one.process);
        const auto made = holder_of(one, status, !who.is_hidden(), now_);
        if (!made)
            continue;
        row_of[at(i)] = static_cast<std::int32_t>(holders_.size());
        holders_.emplace_back();
        holder_row &added = holders_.back();
        added.holder = *made;
        added.process = i;
        added.who = who;
        added.is_reported = one.process.prepared != 0 || status != nullptr;
    }
    for (holder_row &one : holders_) {
        one.holder.group = row_of[at(now_.processes[one.process].process.leader)];
        if (one.holder.kind == holder_kind::prepared && one.who.state_since)
            one.holder.began_by = *one.who.state_since;
    }
    // A parallel query has one snapshot.
    for (holder_row &one : holders_)
        if (one.holder.group >= 0) {
            const age::horizon_holder &leader = holders_[at(one.holder.group)].holder;
            one.holder.is_fleeting = leader.is_fleeting;
            one.holder.snapshot_from = leader.snapshot_from;
            one.holder.is_look = leader.is_look;
        }
}

void horizon_holders::add_primary() {
    const TransactionId xid = oldest_on_primary();
    if (xid == InvalidTransactionId)
        return;
    holder_row &added = holders_.emplace_back();
    added.holder.kind = holder_kind::primary_transaction;
    added.holder.xid = age::place_of(xid, next_);
    added.holder.reaches = age::reach::everything;
}

void horizon_holders::add_slots() {
    for (std::int32_t i = 0; i < now_.slot_count; ++i) {
        const age_slot &one = now_.slots[i];
        const auto made = holder_of(one, now_);
        if (!made)
            continue;
        holder_row &added = holders_.emplace_back();
        added.holder = *made;
        added.slot = i;
        for (std::int32_t k = 0; one.active_pid != 0 && k < now_.process_count; ++k)
            if (now_.processes[k].process.pid == one.active_pid)
                added.who = graph_.activity().describe(now_.processes[k].process);
    }
}

// A standby's catalog has the primary's temporary tables, and nothing to do with their sessions.
void horizon_holders::add_temporary() {
    if (!names().readable() || now_.in_recovery)
        return;
    temporary_ = temp_tables_of(now_);
    for (std::size_t i = 0; i < temporary_.size(); ++i) {
        const temp_tables &one = temporary_[i];
        holder_row &added = holders_.emplace_back();
        added.holder.kind = holder_kind::temp_table;
        added.holder.database = MyDatabaseId;
        added.holder.xmin = one.oldest;
        added.holder.is_frozen_limit = true;
        added.tables = static_cast<std::int32_t>(i);
        added.process = one.process;
        added.gain = one.gain;
        if (one.process >= 0)
            added.who = graph_.activity().describe(now_.processes[one.process].process);
    }
}

void horizon_holders::find_blocked() {
    const graph::forest &forest = graph_.forest();
    if (forest.nodes.empty())
        return;
    impacts found(graph_);
    std::map<std::int64_t, std::int32_t> node_of;
    for (std::size_t node = 0; node < forest.nodes.size(); ++node)
        node_of[graph_.node_id(static_cast<std::int32_t>(node))] = static_cast<std::int32_t>(node);
    for (std::size_t i = 0; i < holders_.size(); ++i) {
        holder_row &one = holders_[i];
        const age_process *process = process_of(one);
        if (process == nullptr || one.tables >= 0)
            continue;
        const auto node = node_of.find(process->process.prepared != 0
                                           ? -static_cast<std::int64_t>(process->process.xid)
                                           : process->process.pid);
        if (node == node_of.end())
            continue;
        const graph::forest::node &place = forest.nodes[at(node->second)];
        one.blocked = place.total_blocked;
        find_waits(one, node->second);
        if (place.depth == 0 && place.cycle == 0)
            blocking_[i] = graph::judge(one.blocked, found.of(place.root).longest_wait,
                                        blocking_settings::limits());
    }
}

void horizon_holders::find_waits(holder_row &one, std::int32_t node) {
    const std::int32_t parent = graph_.forest().nodes[at(node)].parent;
    if (parent < 0)
        return;
    const std::int64_t id = graph_.node_id(parent);
    one.waits_for =
        id > 0 ? "session " + std::to_string(id) : "prepared transaction " + std::to_string(-id);
}

std::optional<std::int64_t> horizon_holders::wal_kept(const holder_row &one) const {
    const age_slot *slot = slot_of(one);
    if (slot == nullptr || slot->is_invalid || slot->restart_lsn == InvalidXLogRecPtr ||
        slot->restart_lsn > now_.lsn)
        return std::nullopt;
    return static_cast<std::int64_t>(now_.lsn - slot->restart_lsn);
}

std::optional<std::int64_t> horizon_holders::lasts(const holder_row &one) const {
    std::optional<TimestampTz> since;
    switch (one.holder.kind) {
    case holder_kind::idle_in_xact:
    case holder_kind::idle_in_xact_aborted:
    case holder_kind::prepared: since = one.who.state_since; break;
    case holder_kind::slot_physical:
    case holder_kind::slot_logical:
    case holder_kind::walsender_feedback:
        since = one.seen_at;
        // What the server itself keeps, from 17 on.
        if (const age_slot *slot = slot_of(one);
            !since && slot != nullptr && slot->inactive_since != 0)
            since = slot->inactive_since;
        break;
    case holder_kind::temp_table: break;
    default: since = one.who.transaction_started;
    }
    if (!since)
        return std::nullopt;
    return std::max<std::int64_t>(now_.taken_at - *since, 0);
}

void horizon_holders::assess(holder_row &one) {
    const age::xid_place oldest = one.oldest();
    if (oldest != age::nowhere)
        if (const auto at = pg_call([=] { return lockstep_seen_at(static_cast<uint64>(oldest)); });
            at != 0)
            one.seen_at = at;
    const bool is_lazy = one.holder.reaches == age::reach::subtrans_only;
    age::circumstances seen;
    // What a standby or a slot repeats is as old as somebody else is.
    const bool repeats = one.held.echo_of >= 0 &&
                         (one.slot >= 0 || one.holder.kind == holder_kind::walsender_feedback);
    if (!repeats)
        seen.lasts = lasts(one);
    if (one.who.doing == graph::activity::idle_in_transaction && one.who.transaction_started)
        seen.open_for = std::max<std::int64_t>(now_.taken_at - *one.who.transaction_started, 0);
    seen.xids = age::age_of(oldest, next_);
    one.is_member = one.holder.group >= 0 && &holders_[at(one.holder.group)] != &one;
    seen.is_blamed = one.held.echo_of < 0 && !is_lazy && !one.is_member && !one.holder.is_look;
    const auto index = static_cast<std::size_t>(&one - holders_.data());
    seen.blocking = blocking_[index];
    seen.holds_nothing = one.holder.reaches == age::reach::nothing && one.slot < 0;
    seen.is_hidden =
        one.holder.kind == holder_kind::session && one.is_reported && one.who.is_hidden();
    seen.wal = wal_kept(one);
    const age_slot *slot = slot_of(one);
    seen.is_invalid = slot != nullptr && slot->is_invalid;
    one.found = age::judge(one.holder.kind, seen, limits_);
    one.blocks_freezing = age::blocks_freezing(seen, limits_);
    advise(one);
}

void horizon_holders::advise(holder_row &one) {
    age::situation facts;
    facts.kind = one.holder.kind;
    facts.doing = one.who.doing;
    // Where something else is wrong with it, that is what there is advice for.
    facts.is_echo = one.held.echo_of >= 0 && one.found.level <= age::severity::unknown;
    facts.is_lazy_vacuum = one.holder.reaches == age::reach::subtrans_only;
    const age_process *process = process_of(one);
    facts.is_wraparound = process != nullptr && process->process.wraparound != 0;
    const age_slot *slot = slot_of(one);
    facts.is_connected = slot != nullptr ? slot->active_pid != 0 : one.process >= 0;
    facts.is_invalid = slot != nullptr && slot->is_invalid;
    facts.holds_rows = one.oldest() != age::nowhere && one.held.echo_of < 0;
    facts.is_aborted = one.holder.kind == holder_kind::idle_in_xact_aborted;
    facts.is_blocking = one.blocked > 0;
    facts.waits_for = one.waits_for;
    // Where all is well there is nothing to do; why something old is not blamed is said.
    if (one.found.level > age::severity::ok || facts.is_echo || facts.is_lazy_vacuum)
        one.advice = age::advice_for(facts);
    if (one.found.level > age::severity::unknown && one.waits_for.empty())
        one.action = action_of(one);
}

std::string horizon_holders::action_of(const holder_row &one) {
    const age_process *process = process_of(one);
    if ((one.held.echo_of >= 0 && one.blocked == 0) ||
        (process != nullptr && process->process.pid == MyProcPid))
        return {};
    switch (one.holder.kind) {
    case holder_kind::active:
    case holder_kind::idle_in_xact:
    case holder_kind::idle_in_xact_aborted:
    case holder_kind::fastpath:
    case holder_kind::standby_session:
    case holder_kind::prepared: return action_for(process->process, one.who);
    case holder_kind::slot_physical:
    case holder_kind::slot_logical: {
        const age_slot *slot = slot_of(one);
        if (slot->active_pid != 0)
            return {};
        return "SELECT pg_drop_replication_slot(" + literal(slot->name) + ')';
    }
    case holder_kind::temp_table: {
        if (process != nullptr)
            return action_for(process->process, one.who);
        return "DROP TABLE " + temporary_[at(one.tables)].names;
    }
    default: return {};
    }
}

age::xid_place horizon_holders::place_of(const holder_row &one, Oid database) const {
    constexpr age::horizon shared{age::horizon_kind::shared_catalogs, 0, age::nowhere};
    // Members of a parallel query are one.
    if (one.held.echo_of >= 0 || one.is_member)
        return age::nowhere;
    return one.holder.is_frozen_limit && one.holder.database == database
               ? one.oldest()
               : age::place_in(one.holder, shared);
}

const holder_row *horizon_holders::top_of(Oid database) const {
    const holder_row *top = nullptr;
    age::xid_place oldest = age::nowhere;
    for (const holder_row &one : holders_)
        if (const age::xid_place place = place_of(one, database); place < oldest) {
            oldest = place;
            top = &one;
        }
    return top;
}

std::int32_t horizon_holders::holding_back(Oid database, std::int64_t age) const {
    return static_cast<std::int32_t>(std::ranges::count_if(holders_, [&](const holder_row &one) {
        const age::xid_place place = place_of(one, database);
        return place != age::nowhere && next_ - place >= age;
    }));
}

} // namespace lockstep
