#include "age/databases.hpp"

#include "age/history.h"
#include "age/holder_of.hpp"
#include "core/age/advice.hpp"
#include "pg/values.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace lockstep {

namespace {

constexpr std::int64_t hour = INT64CONST(3600) * 1000000;

struct listed_database {
    Oid oid;
    NameData name;
    bool takes_connections;
    TransactionId frozen;
    MultiXactId oldest_multi;
};

std::vector<listed_database> list_databases() {
    int count = 0;
    const listed_database *const first = pg_call([&count] {
        int room = 16;
        auto *found = static_cast<listed_database *>(
            palloc(sizeof(listed_database) * static_cast<Size>(room)));
        const Relation table = table_open(DatabaseRelationId, AccessShareLock);
        const SysScanDesc rows = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
        for (HeapTuple row = systable_getnext(rows); HeapTupleIsValid(row);
             row = systable_getnext(rows)) {
            const auto *one = reinterpret_cast<Form_pg_database>(GETSTRUCT(row));
            if (count == room) {
                room *= 2;
                found = static_cast<listed_database *>(
                    repalloc(found, sizeof(listed_database) * static_cast<Size>(room)));
            }
            // A database that DROP DATABASE left half done has a limit of -2.
            found[count++] = {one->oid, one->datname, one->datallowconn && one->datconnlimit != -2,
                              one->datfrozenxid, one->datminmxid};
        }
        systable_endscan(rows);
        table_close(table, AccessShareLock);
        return static_cast<const listed_database *>(found);
    });
    return {first, first + count};
}

std::int64_t ahead(std::uint32_t from, std::uint32_t to) {
    return static_cast<std::int32_t>(to - from);
}

// The server keeps its limits at fixed distances behind the oldest database of all; those of
// multixacts it does not show, and keeps at the same distances.
distances distances_of(std::uint32_t oldest, std::uint32_t next, std::int64_t freeze_max_age,
                       std::int64_t failsafe_age, const age_counters &now) {
    distances found{};
    found.age = ahead(oldest, next);
    found.to_autovacuum = freeze_max_age - found.age;
    found.to_failsafe = failsafe_age - found.age;
    found.to_warning = static_cast<std::int64_t>(now.warn_limit - now.oldest_xid) - found.age;
    found.to_stop = static_cast<std::int64_t>(now.stop_limit - now.oldest_xid) - found.age;
    return found;
}

age::finding judge(const distances &one, std::int64_t freeze_max_age, std::int64_t failsafe_age,
                   std::string_view what, bool is_held, const age::limits &limits) {
    return age::judge_database(
        {is_held, one.age, freeze_max_age, failsafe_age, one.to_warning, one.to_stop}, what,
        limits.database);
}

void assess(database &one, horizon_holders &seen) {
    const age::limits &limits = seen.limits();
    const age_counters &now = seen.now().counters;
    // Where members run short, the server freezes multixacts earlier than it is set to. On a
    // standby it does not know, and says 0.
    std::int64_t multi_max_age = pg_call([] { return MultiXactMemberFreezeThreshold(); });
    if (seen.now().in_recovery)
        multi_max_age = autovacuum_multixact_freeze_max_age;
    const std::int64_t multi_failsafe =
        std::max<std::int64_t>(vacuum_multixact_failsafe_age,
                               std::int64_t{autovacuum_multixact_freeze_max_age} / 100 * 105);
    one.xids = distances_of(one.frozen, static_cast<TransactionId>(now.next_xid),
                            limits.freeze_max_age, limits.failsafe_age, now);
    one.multis = distances_of(one.oldest_multi, now.next_multi, multi_max_age, multi_failsafe, now);
    const std::int32_t holders = seen.holding_back(one.oid, limits.freeze_max_age);
    one.found = judge(one.xids, limits.freeze_max_age, limits.failsafe_age, "transactions",
                      holders > 0, limits);
    const age::finding other =
        judge(one.multis, multi_max_age, multi_failsafe, "multixacts", holders > 0, limits);
    if (other.level > one.found.level)
        one.found = other;
    one.top = seen.top_of(one.oid);
    if (one.found.level > age::severity::ok)
        one.advice = age::database_advice({holders, one.found.level >= age::severity::emergency,
                                           one.takes_connections, one.oid == MyDatabaseId,
                                           seen.now().in_recovery});
}

} // namespace

std::optional<std::int64_t> id_rates::until(std::int64_t xids_left,
                                            std::int64_t multis_left) const {
    std::optional<std::int64_t> soonest;
    const auto add = [&](std::optional<double> rate, std::int64_t left) {
        if (!rate || *rate <= 0)
            return;
        const double length = static_cast<double>(std::max<std::int64_t>(left, 0)) / *rate *
                              static_cast<double>(hour);
        // Beyond that nobody counts, and an interval ends.
        if (length < static_cast<double>(std::numeric_limits<std::int64_t>::max()) / 16)
            soonest = std::min(soonest.value_or(std::numeric_limits<std::int64_t>::max()),
                               static_cast<std::int64_t>(length));
    };
    add(xids, xids_left);
    add(multis, multis_left);
    return soonest;
}

id_rates rates_of(const age_instant &now) {
    age_sample before;
    if (!pg_call([&] { return lockstep_sample_since(now.taken_at - hour, &before); }))
        return {};
    const std::int64_t passed = now.taken_at - before.taken_at;
    if (passed < hour / 6 || before.next_xid > now.counters.next_xid)
        return {};
    const double hours = static_cast<double>(passed) / static_cast<double>(hour);
    return {static_cast<double>(now.counters.next_xid - before.next_xid) / hours,
            static_cast<double>(now.counters.next_multi - before.next_multi) / hours};
}

std::vector<database> databases_of(horizon_holders &seen) {
    std::vector<database> found;
    if (seen.names().readable())
        for (const listed_database &one : list_databases())
            found.push_back({one.oid,
                             NameStr(one.name),
                             one.takes_connections,
                             one.frozen,
                             one.oldest_multi,
                             {},
                             {},
                             {},
                             {},
                             nullptr});
    else
        found.push_back({seen.now().counters.oldest_database,
                         {},
                         true,
                         seen.now().counters.oldest_xid,
                         seen.now().counters.oldest_multi,
                         {},
                         {},
                         {},
                         {},
                         nullptr});
    for (database &one : found)
        assess(one, seen);
    const auto key = [](const database &one) {
        return std::tuple{-static_cast<int>(one.found.level),
                          -std::max(one.xids.age, one.multis.age), one.name};
    };
    std::ranges::sort(found, [&](const database &a, const database &b) { return key(a) < key(b); });
    return found;
}

} // namespace lockstep
