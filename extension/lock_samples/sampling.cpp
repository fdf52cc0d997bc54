#include "lock_samples/sampling.hpp"

#include "activity/sessions.hpp"
#include "core/graph/edges.hpp"
#include "core/graph/forest.hpp"
#include "lock_graph/snapshot.h"
#include "lock_samples/look.h"
#include "lock_samples/pairs.h"
#include "lock_samples/sampler.h"
#include "lock_samples/waits.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

namespace lockstep {

namespace {

std::size_t at(std::int32_t i) {
    return static_cast<std::size_t>(i);
}

// Whom each waiting process waits for, and who is at the head of all. Both are in one lock group
// with others, or alone; then it is the group's leading process.
class blockers {
  public:
    explicit blockers(const lock_snapshot &snapshot) : snapshot_(snapshot) {
        const std::vector<graph::edge> edges = graph::edges_of(snapshot, graph::extent::reduced);
        std::vector<graph::arc> arcs;
        arcs.reserve(edges.size());
        direct_.assign(at(snapshot.process_count), -1);
        for (const graph::edge &one : edges) {
            const std::int32_t waiter = leader_of(one.waiter);
            const std::int32_t blocker = leader_of(one.blocker);
            if (waiter == blocker)
                continue;
            arcs.push_back({waiter, blocker, one.nearest});
            std::int32_t &known = direct_[at(waiter)];
            if (known < 0)
                known = blocker;
        }
        forest_ = graph::build_forest(snapshot.process_count, arcs);
    }

    [[nodiscard]] std::int32_t leader_of(std::int32_t process) const {
        return snapshot_.processes[process].leader;
    }

    // -1: nobody, any more.
    [[nodiscard]] std::int32_t of(std::int32_t process) const {
        const std::int32_t parent = forest_.nodes[at(leader_of(process))].parent;
        return parent >= 0 ? parent : direct_[at(leader_of(process))];
    }

    // Of a ring that waits for nobody outside it is whoever is next.
    [[nodiscard]] std::int32_t root_of(std::int32_t process) const {
        const graph::forest::node &node = forest_.nodes[at(leader_of(process))];
        const std::int32_t root = forest_.roots[at(node.root)].node;
        return root >= 0 ? root : of(process);
    }

  private:
    const lock_snapshot &snapshot_;
    graph::forest forest_;
    std::vector<std::int32_t> direct_; // by process: the first it waits for
};

class sample {
  public:
    sample(const lock_snapshot &snapshot, sessions &activity)
        : snapshot_(snapshot), activity_(activity), blockers_(snapshot) {}

    void note_waits() {
        const std::int64_t shortest = lockstep_shortest_kept_wait();
        for (std::int32_t i = 0; i < snapshot_.wait_count; ++i) {
            const lock_wait &wait = snapshot_.waits[i];
            // The server says a moment later when a wait began.
            if (wait.started == 0 || snapshot_.taken_at - wait.started < shortest ||
                blockers_.of(wait.process) < 0)
                continue;
            const sampled_wait seen = described(wait);
            pg_call([&seen] { lockstep_note_wait(&seen); });
        }
    }

    // Each pair once, however many have it.
    void count_pairs(const held_relation *held, std::int32_t count) {
        std::map<std::tuple<Oid, Oid, std::uint32_t, Oid, std::int32_t, std::uint32_t>, std::size_t>
            known;
        std::vector<sampled_pair> pairs;
        for (std::int32_t i = 0; i < count; ++i) {
            std::optional<sampled_pair> pair = pair_of(held[i]);
            if (!pair || !known
                              .try_emplace({pair->database, pair->held, pair->held_modes,
                                            pair->wanted, pair->wanted_mode, pair->wants_row},
                                           pairs.size())
                              .second)
                continue;
            say(snapshot_.processes[snapshot_.waits[held[i].wait].process], pair->statement);
            pairs.push_back(*pair);
        }
        const sampled_pair *const first = pairs.data();
        const auto size = static_cast<std::int32_t>(pairs.size());
        pg_call([=] { lockstep_count_pairs(first, size); });
    }

  private:
    [[nodiscard]] sampled_wait described(const lock_wait &wait) {
        const lock_process &waiter = snapshot_.processes[wait.process];
        const lock_object &lock = snapshot_.locks[wait.lock];
        sampled_wait seen{};
        seen.started = wait.started;
        seen.slot = waiter.slot;
        seen.vxid_local = waiter.vxid_local;
        seen.last_seen = snapshot_.taken_at;
        seen.database = waiter.database;
        seen.mode = wait.mode;
        seen.field1 = lock.field1;
        seen.field2 = lock.field2;
        seen.field3 = lock.field3;
        seen.field4 = lock.field4;
        seen.type = lock.type;
        seen.method = lock.method;
        if (lock.type == LOCKTAG_TUPLE) {
            seen.row_database = lock.field1;
            seen.row_relation = lock.field2;
            seen.row_block = lock.field3;
            seen.row_offset = lock.field4;
        } else {
            seen.row_database = wait.row_database;
            seen.row_relation = wait.row_relation;
            seen.row_block = wait.row_block;
            seen.row_offset = wait.row_offset;
        }
        describe(wait.process, seen.waiter);
        describe(blockers_.of(wait.process), seen.blocker);
        describe(blockers_.root_of(wait.process), seen.root);
        return seen;
    }

    void describe(std::int32_t index, sampled_session &to) {
        const lock_process &process = snapshot_.processes[index];
        to.pid = process.pid;
        to.xid = process.xid;
        to.role = process.role;
        to.is_prepared = process.prepared;
        if (const PgBackendStatus *status = say(process, to.statement)) {
            to.role = status->st_userid;
            to.transaction_started = status->st_xact_start_timestamp;
            if (status->st_appname != nullptr)
                strlcpy(to.application, status->st_appname, sizeof(to.application));
        }
    }

    // The text and the role come from one place, so that nobody sees what is not his.
    const PgBackendStatus *say(const lock_process &process, sampled_statement &to) {
        const PgBackendStatus *status =
            process.prepared != 0 ? nullptr : activity_.status_of(process.pid);
        if (status == nullptr)
            return nullptr;
        to.role = status->st_userid;
        to.state = status->st_state;
        to.query_id = static_cast<std::int64_t>(status->st_query_id);
        if (status->st_activity_raw != nullptr)
            strlcpy(to.text, status->st_activity_raw, sizeof(to.text));
        return status;
    }

    // Nothing where it is not a table or a row of one that is waited for, or a row of the very
    // table that is held.
    [[nodiscard]] std::optional<sampled_pair> pair_of(const held_relation &held) const {
        const lock_wait &wait = snapshot_.waits[held.wait];
        const lock_object &lock = snapshot_.locks[wait.lock];
        sampled_pair pair{};
        pair.database = held.database;
        pair.held = held.relation;
        pair.held_modes = held.modes;
        pair.last_seen = snapshot_.taken_at;
        switch (lock.type) {
        case LOCKTAG_RELATION:
            pair.wanted = lock.field2;
            pair.wanted_mode = wait.mode;
            break;
        case LOCKTAG_TUPLE:
            pair.wanted = lock.field2;
            pair.wanted_mode = wait.mode;
            pair.wants_row = 1;
            break;
        case LOCKTAG_TRANSACTION:
            pair.wanted = wait.row_relation;
            pair.wanted_mode = wait.row_mode;
            pair.wants_row = 1;
            break;
        default: return std::nullopt;
        }
        const Oid database = lock.type == LOCKTAG_TRANSACTION ? wait.row_database : lock.field1;
        if (pair.wanted < FirstNormalObjectId || database != held.database ||
            (pair.wants_row != 0 && pair.wanted == held.relation))
            return std::nullopt;
        return pair;
    }

    const lock_snapshot &snapshot_;
    sessions &activity_;
    blockers blockers_;
};

void take_sample() {
    if (!pg_call([] { return lockstep_somebody_waits(); }))
        return;
    held_relation *held = nullptr;
    std::int32_t count = 0;
    const lock_snapshot &snapshot = *pg_call([&] {
        const lock_snapshot *const taken = lockstep_take_lock_snapshot();
        count = lockstep_copy_held_relations(taken, &held);
        pgstat_clear_backend_activity_snapshot();
        return taken;
    });
    if (snapshot.wait_count == 0)
        return;
    sessions activity(false);
    sample now(snapshot, activity);
    now.note_waits();
    now.count_pairs(held, count);
}

void take_guarded() {
    enter(take_sample);
}

} // namespace

void install_lock_sampler() {
    lockstep_install_wait_history();
    lockstep_install_pairs();
    lockstep_install_lock_sampler(take_guarded);
}

} // namespace lockstep
