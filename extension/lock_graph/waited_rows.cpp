#include "lock_graph/waited_rows.hpp"

#include "lock_graph/wait_context.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace lockstep {

namespace {

using place_key = std::tuple<Oid, Oid, BlockNumber, OffsetNumber>;

class collector {
  public:
    collector(const lock_snapshot &snapshot, waited_rows &to) : snapshot_(snapshot), to_(to) {
        to_.of_wait.assign(static_cast<std::size_t>(snapshot.wait_count), -1);
        lock_awaited_by_.assign(static_cast<std::size_t>(snapshot.process_count), -1);
        for (std::int32_t i = 0; i < snapshot.wait_count; ++i)
            lock_awaited_by_[static_cast<std::size_t>(snapshot.waits[i].process)] =
                snapshot.waits[i].lock;
    }

    // First those whose holder is named by the wait itself.
    std::vector<TransactionId> collect() {
        for (const bool by_transaction : {true, false})
            for (std::int32_t i = 0; i < snapshot_.lock_count; ++i) {
                const lock_object &lock = snapshot_.locks[i];
                if (by_transaction && lock.type == LOCKTAG_TRANSACTION)
                    add_transaction_waits(lock);
                else if (by_transaction && lock.type == LOCKTAG_SPECULATIVE_TOKEN)
                    for (std::int32_t k = 0; k < lock.waits; ++k)
                        set(lock.first_wait + k, add_unknown());
                else if (!by_transaction && lock.type == LOCKTAG_TUPLE)
                    add_tuple_waits(lock);
            }
        return std::move(holders_);
    }

  private:
    void set(std::int32_t wait, std::int32_t row) {
        to_.of_wait[static_cast<std::size_t>(wait)] = row;
    }

    // The transaction that the head of a row's line waits for.
    [[nodiscard]] TransactionId holder_behind(const lock_object &line) const {
        for (std::int32_t i = line.first_proclock; i < line.first_proclock + line.proclocks; ++i) {
            const std::int32_t awaited =
                lock_awaited_by_[static_cast<std::size_t>(snapshot_.proclocks[i].process)];
            if (snapshot_.proclocks[i].held != 0 && awaited >= 0 &&
                snapshot_.locks[awaited].type == LOCKTAG_TRANSACTION)
                return snapshot_.locks[awaited].field1;
        }
        return InvalidTransactionId;
    }

    void add_transaction_waits(const lock_object &lock) {
        for (std::int32_t i = lock.first_wait; i < lock.first_wait + lock.waits; ++i) {
            const lock_wait &wait = snapshot_.waits[i];
            set(i, wait.row_relation == 0 ? add_unknown()
                                          : add({wait.row_database, wait.row_relation,
                                                 wait.row_block, wait.row_offset},
                                                lock.field1));
        }
    }

    void add_tuple_waits(const lock_object &lock) {
        const place_key place{lock.field1, lock.field2, lock.field3, lock.field4};
        const auto known = index_.find(place);
        const std::int32_t row =
            known != index_.end() ? known->second : add(place, holder_behind(lock));
        for (std::int32_t k = 0; k < lock.waits; ++k)
            set(lock.first_wait + k, row);
    }

    std::int32_t add(const place_key &place, TransactionId holder) {
        const auto [at, fresh] =
            index_.try_emplace(place, static_cast<std::int32_t>(to_.rows.size()));
        if (fresh) {
            const auto &[database, relation, block, offset] = place;
            waited_row row{database, relation, {}, false, row_status::unknown, nullptr, nullptr, 0};
            ItemPointerSet(&row.place, block, offset);
            to_.rows.push_back(row);
            holders_.push_back(holder);
        }
        return at->second;
    }

    std::int32_t add_unknown() {
        if (unknown_ < 0) {
            unknown_ = static_cast<std::int32_t>(to_.rows.size());
            to_.rows.push_back(
                {InvalidOid, InvalidOid, {}, false, row_status::unknown, nullptr, nullptr, 0});
            holders_.push_back(InvalidTransactionId);
        }
        return unknown_;
    }

    const lock_snapshot &snapshot_;
    waited_rows &to_;
    std::map<place_key, std::int32_t> index_;
    std::vector<TransactionId> holders_;        // by row
    std::vector<std::int32_t> lock_awaited_by_; // by process
    std::int32_t unknown_ = -1;
};

// What the waiter has said of its row, looked at; unknown where it has said nothing, or nothing
// clear.
waited_row row_from_log(const lock_snapshot &snapshot, const lock_wait &wait) {
    waited_row row{InvalidOid, InvalidOid, {}, false, row_status::unknown, nullptr, nullptr, 0};
    const lock_process &waiter = snapshot.processes[wait.process];
    wait_context said;
    if (waiter.database != MyDatabaseId ||
        !lockstep_wait_context_of(waiter.slot, waiter.vxid_local, wait.started, &said))
        return row;
    const Oid relation = only_relation_named(said.relation);
    if (relation == InvalidOid)
        return row;
    row_look look{{}, InvalidTransactionId, true, row_status::unknown, nullptr, nullptr, 0};
    ItemPointerSet(&look.place, said.block, said.offset);
    const Oid table = pg_call([relation] { return IndexGetRelation(relation, true); });
    if (table != InvalidOid) {
        look.holder = waiter.xid;
        look_at_inserted_row(relation, look);
    } else {
        look.holder = snapshot.locks[wait.lock].field1;
        look_at_rows(relation, {&look, 1});
    }
    // Another relation may have taken the name by now: only a row that was found to be the one is
    // shown.
    switch (look.status) {
    case row_status::moved: return row;
    case row_status::relation_locked:
    case row_status::other_temp:
    case row_status::unknown: row.status = look.status; return row;
    default: break;
    }
    row.database = MyDatabaseId;
    row.relation = table == InvalidOid ? relation : table;
    row.place = look.place;
    row.from_log = true;
    row.status = look.status;
    row.key = look.key;
    return row;
}

} // namespace

Oid only_relation_named(const char *name) {
    return pg_call([name] {
        CatCList *const found = SearchSysCacheList1(RELNAMENSP, CStringGetDatum(name));
        const Oid relation =
            found->n_members == 1
                ? reinterpret_cast<Form_pg_class>(GETSTRUCT(&found->members[0]->tuple))->oid
                : InvalidOid;
        ReleaseSysCacheList(found);
        return relation;
    });
}

waited_rows rows_waited_for(const lock_snapshot &snapshot, const catalogs &names) {
    waited_rows result;
    const std::vector<TransactionId> holders = collector(snapshot, result).collect();

    // Relation by relation, so that each is opened once, and only ours.
    std::vector<std::size_t> order(result.rows.size());
    std::iota(order.begin(), order.end(), 0);
    const auto table_of = [&](std::size_t i) {
        return std::pair{result.rows[i].database, result.rows[i].relation};
    };
    std::ranges::stable_sort(order, {}, table_of);
    std::vector<row_look> looks;
    for (std::size_t from = 0; from < order.size();) {
        const auto [database, relation] = table_of(order[from]);
        looks.clear();
        std::size_t to = from;
        for (; to < order.size() && table_of(order[to]) == table_of(order[from]); ++to)
            looks.push_back({result.rows[order[to]].place, holders[order[to]], false,
                             row_status::unknown, nullptr, nullptr, 0});
        if (relation != InvalidOid && !catalogs::is_ours(database)) {
            for (row_look &look : looks)
                look.status = row_status::other_db;
        } else if (relation != InvalidOid && !names.readable()) {
            for (row_look &look : looks)
                look.status = row_status::relation_locked;
        } else if (relation != InvalidOid)
            look_at_rows(relation, looks);
        for (std::size_t i = from; i < to; ++i) {
            waited_row &row = result.rows[order[i]];
            row.status = looks[i - from].status;
            row.key = looks[i - from].key;
            row.lockers = looks[i - from].lockers;
            row.locker_count = looks[i - from].locker_count;
        }
        from = to;
        check_interrupts();
    }
    if (names.readable())
        for (std::int32_t i = 0; i < snapshot.wait_count; ++i) {
            const std::int32_t row = result.of_wait[static_cast<std::size_t>(i)];
            if (row < 0 || result.rows[static_cast<std::size_t>(row)].relation != InvalidOid ||
                snapshot.locks[snapshot.waits[i].lock].type != LOCKTAG_TRANSACTION)
                continue;
            const waited_row said = row_from_log(snapshot, snapshot.waits[i]);
            if (said.status != row_status::unknown) {
                result.of_wait[static_cast<std::size_t>(i)] =
                    static_cast<std::int32_t>(result.rows.size());
                result.rows.push_back(said);
            }
        }
    return result;
}

} // namespace lockstep
