#include "age/settings.hpp"

#include "pg/pg.hpp"
#include "pg/settings.hpp"

#include <algorithm>

namespace lockstep::age_settings {

namespace {

struct pair_of_limits {
    int warning;
    int critical;
};

pair_of_limits idle{300, 1800};
pair_of_limits active{900, 7200};
pair_of_limits prepared{60, 900};
pair_of_limits feedback{900, 14400};
pair_of_limits slot{3600, 86400};
// In percent: of autovacuum_freeze_max_age what a holder holds, and how old a database is; of
// max_wal_size what a slot keeps.
pair_of_limits held{50, 100};
pair_of_limits database{110, 150};
pair_of_limits wal{100, 1000};

struct setting {
    const char *name;
    const char *description;
    int *value;
};

constexpr setting times[] = {
    {"lockstep.age_idle_warning", "Time idle in a transaction, for a warning.", &idle.warning},
    {"lockstep.age_idle_critical", "Time idle in a transaction, to be critical.", &idle.critical},
    {"lockstep.age_active_warning", "Age of a transaction, for a warning.", &active.warning},
    {"lockstep.age_active_critical", "Age of a transaction, to be critical.", &active.critical},
    {"lockstep.age_prepared_warning", "Age of a prepared transaction, for a warning.",
     &prepared.warning},
    {"lockstep.age_prepared_critical", "Age of a prepared transaction, to be critical.",
     &prepared.critical},
    {"lockstep.age_feedback_warning", "Age of what a standby's feedback holds, for a warning.",
     &feedback.warning},
    {"lockstep.age_feedback_critical", "Age of what a standby's feedback holds, to be critical.",
     &feedback.critical},
    {"lockstep.age_slot_warning", "Age of what a replication slot holds, for a warning.",
     &slot.warning},
    {"lockstep.age_slot_critical", "Age of what a replication slot holds, to be critical.",
     &slot.critical}};

constexpr setting percents[] = {
    {"lockstep.age_warning_percent",
     "Transactions held back, in percent of autovacuum_freeze_max_age, for a warning.",
     &held.warning},
    {"lockstep.age_critical_percent",
     "Transactions held back, in percent of autovacuum_freeze_max_age, to be critical.",
     &held.critical},
    {"lockstep.age_database_warning_percent",
     "Age of a database, in percent of autovacuum_freeze_max_age, for a warning; critical where a "
     "holder is to blame.",
     &database.warning},
    {"lockstep.age_database_critical_percent",
     "Age of a database, in percent of autovacuum_freeze_max_age, to be critical.",
     &database.critical},
    {"lockstep.age_wal_warning_percent",
     "WAL that a replication slot keeps, in percent of max_wal_size, for a warning.", &wal.warning},
    {"lockstep.age_wal_critical_percent",
     "WAL that a replication slot keeps, in percent of max_wal_size, to be critical where "
     "max_slot_wal_keep_size sets no limit.",
     &wal.critical}};

age::time_limits in_microseconds(const pair_of_limits &seconds) {
    return {seconds.warning * INT64CONST(1000000), seconds.critical * INT64CONST(1000000)};
}

} // namespace

void install() {
    constexpr int no_limit = -1;
    constexpr int most_percent = 100000;
    for (const setting &one : times)
        define_seconds(one.name, one.description, one.value, no_limit);
    for (const setting &one : percents)
        define_count(one.name, one.description, one.value, 1, most_percent);
}

age::limits limits(const age_counters &now) {
    const auto next = static_cast<TransactionId>(now.next_xid);
    age::limits all{};
    all.idle = in_microseconds(idle);
    all.active = in_microseconds(active);
    all.prepared = in_microseconds(prepared);
    all.feedback = in_microseconds(feedback);
    all.slot = in_microseconds(slot);
    all.held = {held.warning, held.critical};
    all.database = {database.warning, database.critical};
    all.wal = {wal.warning, wal.critical};
    all.freeze_min_age = vacuum_freeze_min_age;
    all.freeze_max_age = autovacuum_freeze_max_age;
    // As vacuum_xid_failsafe_check() does.
    all.failsafe_age = std::max<std::int64_t>(vacuum_failsafe_age, all.freeze_max_age / 100 * 105);
    constexpr auto megabyte = std::int64_t{1024} * 1024;
    all.wal_size = std::int64_t{max_wal_size_mb} * megabyte;
    // The server keeps whole segments, and as many as it would without slots.
    all.slot_wal_size = max_slot_wal_keep_size_mb < 0
                            ? -1
                            : std::max({std::int64_t{max_slot_wal_keep_size_mb} * megabyte,
                                        std::int64_t{wal_keep_size_mb} * megabyte,
                                        std::int64_t{wal_segment_size} * 2});
    all.warns = TransactionIdFollowsOrEquals(next, now.warn_limit);
    all.stops = TransactionIdFollowsOrEquals(next, now.stop_limit);
    return all;
}

} // namespace lockstep::age_settings
