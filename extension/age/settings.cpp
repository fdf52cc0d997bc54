#include "age/settings.hpp"

#include "pg/pg.hpp"
#include "pg/settings.hpp"

#include <algorithm>

namespace lockstep::age_settings {

namespace {

struct pair_of_times {
    int warning;
    int critical;
};

pair_of_times idle{300, 1800};
pair_of_times active{900, 7200};
pair_of_times prepared{60, 900};
pair_of_times feedback{900, 14400};
pair_of_times slot{3600, 86400};
int warning_percent = 50;
int critical_percent = 100;

constexpr int no_limit = -1;

age::time_limits in_microseconds(const pair_of_times &seconds) {
    return {seconds.warning * INT64CONST(1000000), seconds.critical * INT64CONST(1000000)};
}

} // namespace

void install() {
    define_seconds("lockstep.age_idle_warning",
                   "Time idle in a transaction before transaction_age warns.", &idle.warning,
                   no_limit);
    define_seconds("lockstep.age_idle_critical",
                   "Time idle in a transaction before transaction_age calls it critical.",
                   &idle.critical, no_limit);
    define_seconds("lockstep.age_active_warning",
                   "Age of an active transaction before transaction_age warns.", &active.warning,
                   no_limit);
    define_seconds("lockstep.age_active_critical",
                   "Age of an active transaction before transaction_age calls it critical.",
                   &active.critical, no_limit);
    define_seconds("lockstep.age_prepared_warning",
                   "Age of a prepared transaction before transaction_age warns.", &prepared.warning,
                   no_limit);
    define_seconds("lockstep.age_prepared_critical",
                   "Age of a prepared transaction before transaction_age calls it critical.",
                   &prepared.critical, no_limit);
    define_seconds("lockstep.age_feedback_warning",
                   "Age of what a standby's feedback holds before transaction_age warns.",
                   &feedback.warning, no_limit);
    define_seconds("lockstep.age_feedback_critical",
                   "Age of what a standby's feedback holds before transaction_age calls it "
                   "critical.",
                   &feedback.critical, no_limit);
    define_seconds("lockstep.age_slot_warning",
                   "Age of what a replication slot holds before transaction_age warns.",
                   &slot.warning, no_limit);
    define_seconds("lockstep.age_slot_critical",
                   "Age of what a replication slot holds before transaction_age calls it critical.",
                   &slot.critical, no_limit);
    define_count("lockstep.age_warning_percent",
                 "Transactions held back, in percent of autovacuum_freeze_max_age, before "
                 "transaction_age warns.",
                 &warning_percent, 1);
    define_count("lockstep.age_critical_percent",
                 "Transactions held back, in percent of autovacuum_freeze_max_age, before "
                 "transaction_age calls it critical.",
                 &critical_percent, 1);
}

age::limits limits(const age_counters &now) {
    const auto next = static_cast<TransactionId>(now.next_xid);
    age::limits all{};
    all.idle = in_microseconds(idle);
    all.active = in_microseconds(active);
    all.prepared = in_microseconds(prepared);
    all.feedback = in_microseconds(feedback);
    all.slot = in_microseconds(slot);
    all.warning_percent = warning_percent;
    all.critical_percent = critical_percent;
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
