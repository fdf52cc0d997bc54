#include "lock_graph/wait_for_graph.hpp"

#include "lock_graph/snapshot.h"
#include "submit/edges.h"
#include "submit/queue.h"

#include <algorithm>
#include <compare>
#include <tuple>
#include <utility>

namespace lockstep {

namespace {

std::size_t at(std::int32_t i) {
    return static_cast<std::size_t>(i);
}

} // namespace

wait_for_graph::wait_for_graph(graph::extent wanted)
    : snapshot_(*pg_call([] { return lockstep_take_lock_snapshot(); })),
      sessions_(names_.readable()),
      processes_(snapshot_.processes, snapshot_.processes + snapshot_.process_count),
      edges_(graph::edges_of(snapshot_, wanted)) {
    waited_rows found = rows_waited_for(snapshot_, names_);
    rows_ = std::move(found.rows);
    wait_row_ = std::move(found.of_wait);
    add_latent_edges();
    add_safe_snapshot_edges();
    add_submit_edges();
    number_nodes();
    build_forest();
    described_.resize(processes_.size());
}

std::int32_t wait_for_graph::add_process(const lock_process &process) {
    processes_.push_back(process);
    const auto index = static_cast<std::int32_t>(processes_.size()) - 1;
    processes_.back().leader = index;
    return index;
}

// -1: there is none any more.
std::int32_t wait_for_graph::process_with_pid(std::int32_t pid) {
    for (std::size_t i = 0; i < processes_.size(); ++i)
        if (processes_[i].pid == pid)
            return static_cast<std::int32_t>(i);
    lock_process found;
    if (!pg_call([pid, &found] { return lockstep_find_process(pid, &found); }))
        return -1;
    return add_process(found);
}

// The server names prepared transactions by pid 0. Where there is one alone, it is that one.
std::int32_t wait_for_graph::some_prepared() {
    const auto &listed = sessions_.prepared();
    if (listed.size() == 1)
        return process_with_xid(listed.front().xid);
    for (std::size_t i = 0; i < processes_.size(); ++i)
        if (processes_[i].prepared != 0 && processes_[i].xid == InvalidTransactionId)
            return static_cast<std::int32_t>(i);
    lock_process unknown{};
    unknown.slot = -1;
    unknown.prepared = 1;
    return add_process(unknown);
}

std::int32_t wait_for_graph::process_with_xid(TransactionId xid) {
    const TransactionId top = topmost(xid);
    const std::int32_t pid = pg_call([top] { return BackendXidGetPid(top); });
    if (pid != 0)
        return process_with_pid(pid);
    for (std::size_t i = 0; i < processes_.size(); ++i)
        if (processes_[i].prepared != 0 && processes_[i].xid == top)
            return static_cast<std::int32_t>(i);
    for (const prepared_transaction &one : sessions_.prepared())
        if (one.xid == top) {
            lock_process dummy{};
            dummy.slot = -1;
            dummy.xid = top;
            dummy.database = one.database;
            dummy.role = one.owner;
            dummy.prepared = 1;
            return add_process(dummy);
        }
    return -1;
}

// A row that several transactions have locked is waited for one of them at a time; the others hold
// it up as well, and would be next.
void wait_for_graph::add_latent_edges() {
    for (std::int32_t wait = 0; wait < snapshot_.wait_count; ++wait) {
        const lock_wait &waiting = snapshot_.waits[wait];
        const waited_row *row = row_of(wait);
        if (row == nullptr || row->locker_count == 0 || lock_of(wait).type != LOCKTAG_TRANSACTION)
            continue;
        const TransactionId waited_for = topmost(lock_of(wait).field1);
        std::vector<std::int32_t> known;
        for (int i = 0; i < row->locker_count; ++i) {
            const MultiXactMember &locker = row->lockers[i];
            const LOCKMODE held = row_lock_mode(locker.status);
            if (topmost(locker.xid) == waited_for ||
                !pg_call([&] { return DoLockModesConflict(held, waiting.row_mode); }) ||
                !pg_call([&] { return TransactionIdIsInProgress(locker.xid); }))
                continue;
            const std::int32_t other = process_with_xid(locker.xid);
            if (other < 0 || process(other).leader == process(waiting.process).leader ||
                std::ranges::find(known, other) != known.end())
                continue;
            known.push_back(other);
            edges_.push_back(
                {waiting.process, other, wait, -1, graph::edge_kind::latent, true, false});
        }
    }
}

void wait_for_graph::add_safe_snapshot_edges() {
    if (snapshot_.safe_snapshot_wait_count == 0)
        return;
    int *const pids = pg_call(
        [] { return static_cast<int *>(palloc(sizeof(int) * static_cast<Size>(MaxBackends))); });
    for (std::int32_t i = 0; i < snapshot_.safe_snapshot_wait_count; ++i) {
        const std::int32_t waiter = snapshot_.safe_snapshot_waits[i];
        const int pid = process(waiter).pid;
        const int count =
            pg_call([=] { return GetSafeSnapshotBlockingPids(pid, pids, MaxBackends); });
        for (int k = 0; k < count; ++k)
            if (const std::int32_t other =
                    pids[k] != 0 ? process_with_pid(pids[k]) : some_prepared();
                other >= 0)
                edges_.push_back(
                    {waiter, other, -1, -1, graph::edge_kind::safe_snapshot, true, false});
    }
}

// The queue of submit is read a moment after the lock manager. Who waits there is in no transaction
// and has no lock: one that the snapshot shows with a wait or in somebody's way has come to the
// queue since, and is shown as the snapshot has it. So no ring is made of two instants.
void wait_for_graph::add_submit_edges() {
    if (!lockstep_has_submit_queue())
        return;
    const int room = lockstep_submit_places();
    auto *const pairs = pg_call([room] {
        return static_cast<submit_edge *>(palloc(sizeof(submit_edge) * static_cast<Size>(room)));
    });
    const int count = pg_call([=] { return lockstep_submit_edges(pairs, room); });
    std::vector<bool> has_locks(processes_.size(), false);
    for (const graph::edge &one : edges_)
        for (const std::int32_t end : {one.waiter, one.blocker})
            has_locks[at(process(end).leader)] = true;
    for (int i = 0; i < count; ++i) {
        // Zero, like any pid that no session has: it has ended meanwhile.
        if (pairs[i].follower == 0 || pairs[i].leader == 0)
            continue;
        const std::int32_t waiter = process_with_pid(pairs[i].follower);
        const std::int32_t other = process_with_pid(pairs[i].leader);
        if (waiter < 0 || other < 0 || (at(waiter) < has_locks.size() && has_locks[at(waiter)]))
            continue;
        submit_waits_.emplace(waiter, submit_wait{other, pairs[i].started});
        edges_.push_back({waiter, other, -1, -1, graph::edge_kind::group, true, false});
    }
}

// By lock: since when the first of its queue has waited; behind all others where it is not known.
std::vector<TimestampTz> wait_for_graph::longest_waits() const {
    std::vector<TimestampTz> longest(at(snapshot_.lock_count), PG_INT64_MAX);
    for (std::int32_t wait = 0; wait < snapshot_.wait_count; ++wait)
        if (const lock_wait &one = snapshot_.waits[wait]; one.started > 0)
            longest[at(one.lock)] = std::min(longest[at(one.lock)], one.started);
    return longest;
}

// By leading process: the wait that its group shows, or -1.
std::vector<std::int32_t>
wait_for_graph::waits_to_show(const std::vector<TimestampTz> &longest) const {
    std::vector<std::int32_t> shown(processes_.size(), -1);
    const auto key = [&](std::int32_t wait) {
        const lock_wait &one = snapshot_.waits[wait];
        return std::tuple{process(one.process).leader != one.process, longest[at(one.lock)], wait};
    };
    for (std::int32_t wait = 0; wait < snapshot_.wait_count; ++wait) {
        std::int32_t &best = shown[at(process(snapshot_.waits[wait].process).leader)];
        if (best < 0 || key(wait) < key(best))
            best = wait;
    }
    return shown;
}

// Nodes are numbered in the order in which people would read the waits: lock by lock, the one with
// the longest wait first, then along the queue; who waits for nothing comes first. Those who wait
// for one session in submit are such a queue.
void wait_for_graph::number_nodes() {
    const std::vector<TimestampTz> longest = longest_waits();
    const std::vector<std::int32_t> shown = waits_to_show(longest);
    std::map<std::int32_t, TimestampTz> longest_behind; // by who is waited for in submit
    for (const auto &[waiter, wait] : submit_waits_) {
        TimestampTz &first = longest_behind.try_emplace(wait.blocker, wait.started).first->second;
        first = std::min(first, wait.started);
    }
    std::vector<bool> takes_part(processes_.size(), false);
    for (const graph::edge &one : edges_)
        for (const std::int32_t end : {one.waiter, one.blocker})
            takes_part[at(process(end).leader)] = true;
    struct sort_key {
        TimestampTz longest = -1; // of the queue
        std::int64_t queue = -1;
        TimestampTz place = -1;
        std::int32_t pid;
        TransactionId xid;
        std::int32_t process;
        auto operator<=>(const sort_key &) const = default;
    };
    std::vector<sort_key> order;
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        if (!takes_part[i])
            continue;
        const auto index = static_cast<std::int32_t>(i);
        sort_key key{.pid = processes_[i].pid, .xid = processes_[i].xid, .process = index};
        if (const std::int32_t wait = shown[i]; wait >= 0) {
            key.queue = snapshot_.waits[wait].lock;
            key.longest = longest[at(snapshot_.waits[wait].lock)];
            key.place = wait;
        } else if (const auto found = submit_waits_.find(index); found != submit_waits_.end()) {
            key.queue = snapshot_.lock_count + found->second.blocker;
            key.longest = longest_behind[found->second.blocker];
            key.place = found->second.started;
        }
        order.push_back(key);
    }
    std::ranges::sort(order);
    node_of_process_.assign(processes_.size(), -1);
    for (const sort_key &key : order) {
        node_of_process_[at(key.process)] = static_cast<std::int32_t>(process_of_node_.size());
        process_of_node_.push_back(key.process);
        wait_of_node_.push_back(shown[at(key.process)]);
    }
}

void wait_for_graph::build_forest() {
    std::vector<graph::arc> arcs;
    arcs.reserve(edges_.size());
    for (const graph::edge &one : edges_)
        if (one.nearest || one.kind == graph::edge_kind::hard)
            arcs.push_back({node_of(one.waiter), node_of(one.blocker), one.nearest});
    forest_ = graph::build_forest(static_cast<std::int32_t>(process_of_node_.size()), arcs);
    for (const graph::forest::root &root : forest_.roots)
        root_ids_.push_back(node_id(root.first));
}

std::vector<const graph::edge *> wait_for_graph::edges_in_tree_order() const {
    std::vector<std::size_t> line(forest_.order.size());
    for (std::size_t i = 0; i < line.size(); ++i)
        line[at(forest_.order[i])] = i;
    struct sort_key {
        std::size_t line;
        std::int32_t pid;
        graph::edge_kind kind;
        std::size_t blocker_line;
        const graph::edge *edge;
        auto operator<=>(const sort_key &) const = default;
    };
    std::vector<sort_key> keys;
    keys.reserve(edges_.size());
    for (const graph::edge &one : edges_)
        if (one.nearest)
            keys.push_back({line[at(node_of(one.waiter))], process(one.waiter).pid, one.kind,
                            line[at(node_of(one.blocker))], &one});
    std::ranges::sort(keys);
    std::vector<const graph::edge *> edges;
    edges.reserve(keys.size());
    for (const sort_key &key : keys)
        edges.push_back(key.edge);
    return edges;
}

const char *wait_for_graph::kind_of(std::int32_t process_index) {
    if (process(process_index).leader != process_index)
        return "parallel_worker";
    return session_of(process_index).kind;
}

std::int64_t wait_for_graph::node_id(std::int32_t node) const {
    const lock_process &one = process(process_of(node));
    return one.prepared != 0 ? -static_cast<std::int64_t>(one.xid) : one.pid;
}

const lock_place &wait_for_graph::place_of_lock(std::int32_t lock) {
    const auto found = places_.find(lock);
    if (found != places_.end())
        return found->second;
    return places_.emplace(lock, lockstep::place_of(snapshot_.locks[lock], names_)).first->second;
}

const waited_row *wait_for_graph::row_of(std::int32_t wait) const {
    if (wait < 0 || wait_row_[at(wait)] < 0)
        return nullptr;
    return &rows_[at(wait_row_[at(wait)])];
}

std::optional<wait_for_graph::relation> wait_for_graph::relation_of(std::int32_t wait) {
    if (const waited_row *row = row_of(wait); row != nullptr && row->relation != InvalidOid)
        return relation{row->database, row->relation};
    const lock_place &place = place_of_lock(snapshot_.waits[wait].lock);
    if (!place.relation)
        return std::nullopt;
    return relation{*place.database, *place.relation};
}

// Who has a lock that readers conflict with, else who is next to have one; nothing where nobody is.
std::string wait_for_graph::keeps_readers_out(const lock_object &lock) const {
    const std::uint32_t conflicting = snapshot_.conflicts[lock.method][AccessShareLock];
    const auto who = [&](std::int32_t index) {
        return process(index).prepared != 0 ? std::string{"a prepared transaction"}
                                            : std::to_string(process(index).pid);
    };
    for (std::int32_t i = 0; i < lock.proclocks; ++i) {
        const lock_proclock &one = snapshot_.proclocks[lock.first_proclock + i];
        if ((one.held & conflicting) != 0)
            return who(one.process) + " holds ";
    }
    for (std::int32_t i = 0; i < lock.waits; ++i) {
        const lock_wait &one = snapshot_.waits[lock.first_wait + i];
        if ((1U << one.mode & conflicting) != 0)
            return who(one.process) + " waits for ";
    }
    return {};
}

// A table that is kept from readers by a lock on it or on one of its indexes, that somebody waits
// for: who does it, and how.
const std::string &wait_for_graph::who_keeps_readers_out(Oid table) {
    if (!keeping_readers_out_) {
        keeping_readers_out_.emplace();
        for (std::int32_t i = 0; i < snapshot_.lock_count; ++i) {
            const lock_object &lock = snapshot_.locks[i];
            if (lock.type != LOCKTAG_RELATION || lock.field1 != MyDatabaseId)
                continue;
            std::string text = keeps_readers_out(lock);
            if (text.empty())
                continue;
            const Oid locked = lock.field2;
            const Oid behind = names_.readable()
                                   ? pg_call([locked] { return IndexGetRelation(locked, true); })
                                   : InvalidOid;
            text += GetLockmodeName(lock.method, AccessExclusiveLock);
            text += " on " + names_.relation_name(MyDatabaseId, locked);
            keeping_readers_out_->try_emplace(behind == InvalidOid ? locked : behind,
                                              std::move(text));
        }
    }
    return (*keeping_readers_out_)[table];
}

std::string wait_for_graph::what(std::int32_t wait) {
    const waited_row *row = row_of(wait);
    if (row == nullptr || row->relation == InvalidOid)
        return place_of_lock(snapshot_.waits[wait].lock).text;
    std::string text = row_text(row->database, row->relation, row->place, row->key, names_);
    if (row->status == row_status::relation_locked)
        if (const std::string &who = who_keeps_readers_out(row->relation); !who.empty())
            text += " (no key: " + who + ')';
    return text;
}

TimestampTz wait_for_graph::wait_start_of(std::int32_t node) const {
    const std::int32_t wait = wait_of(node);
    return wait < 0 ? submit_start_of(process_of(node)) : snapshot_.waits[wait].started;
}

// Who waits behind one who waits there himself is led by none yet.
std::string wait_for_graph::what_in_submit(std::int32_t process_index) const {
    const std::int32_t other = submit_blocker_of(process_index);
    return (submit_blocker_of(other) < 0 ? "group of submit led by pid "
                                         : "turn in submit behind pid ") +
           std::to_string(process(other).pid);
}

} // namespace lockstep
