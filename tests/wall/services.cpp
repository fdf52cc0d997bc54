// Subscribers of the services in pg/ that many rooms share: several of each, beside those that the
// extension itself has where both are loaded. What is called here from C has no C++ objects.
#include "pg/boundary.hpp"
#include "pg/error_reports.h"
#include "pg/shared_memory.h"
#include "pg/spi.hpp"
#include "pg/transaction_ends.h"
#include "pg/values.hpp"
#include "pg/workers.h"

#include <cstdio>
#include <cstring>
#include <string>

extern "C" {
LOCKSTEP_EXPORT void _PG_init(void);
LOCKSTEP_EXPORT void lockstep_wall_first_main(Datum argument);
LOCKSTEP_EXPORT void lockstep_wall_second_main(Datum argument);
}

using namespace lockstep;

namespace {

// What subscribers have seen since wall_watch(true), a line each.
char seen[4000];
bool is_watching = false;

void note(const char *who, const char *what) {
    const std::size_t length = std::strlen(seen);
    if (is_watching)
        std::snprintf(seen + length, sizeof(seen) - length, "%s%s: %s", length == 0 ? "" : "\n",
                      who, what);
}

void note_report(const char *who, const ErrorData *report) {
    if (is_watching)
        note(who, unpack_sql_state(report->sqlerrcode));
}

// Reports something itself, and breaks the rule that forbids it to raise an error.
void first_reported(const ErrorData *report) {
    note_report("first", report);
    if (report->sqlerrcode == MAKE_SQLSTATE('L', 'S', '9', '9', '1'))
        ereport(LOG,
                (errcode(MAKE_SQLSTATE('L', 'S', '9', '9', '2')), errmsg("a report of a report")));
    if (report->sqlerrcode == MAKE_SQLSTATE('L', 'S', '9', '9', '3'))
        ereport(ERROR, (errcode(MAKE_SQLSTATE('L', 'S', '9', '9', '4')),
                        errmsg("raised by a subscriber")));
}

void second_reported(const ErrorData *report) {
    note_report("second", report);
}

const char *name_of(XactEvent event) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT: return "before the commit";
    case XACT_EVENT_COMMIT: return "committed";
    case XACT_EVENT_ABORT: return "rolled back";
    case XACT_EVENT_PRE_PREPARE: return "before it is prepared";
    case XACT_EVENT_PREPARE: return "prepared";
    default: return "of a parallel worker";
    }
}

const char *name_of(SubXactEvent event) {
    switch (event) {
    case SUBXACT_EVENT_START_SUB: return "starts";
    case SUBXACT_EVENT_PRE_COMMIT_SUB: return "before the commit";
    case SUBXACT_EVENT_COMMIT_SUB: return "committed";
    default: return "rolled back";
    }
}

void note_transaction(const char *who, XactEvent event) {
    note(who, name_of(event));
}

void note_subtransaction(const char *who, SubXactEvent event, SubTransactionId own,
                         SubTransactionId parent) {
    char what[100];
    std::snprintf(what, sizeof(what), "%u of %u %s", own, parent, name_of(event));
    note(who, what);
}

error_report_subscriber reports[] = {{first_reported, nullptr}, {second_reported, nullptr}};

transaction_subscriber ends[] = {
    {[](XactEvent event) { note_transaction("first", event); }, nullptr, nullptr},
    {nullptr,
     [](SubXactEvent event, SubTransactionId own, SubTransactionId parent) {
         note_subtransaction("second", event, own, parent);
     },
     nullptr},
    {[](XactEvent event) { note_transaction("third", event); },
     [](SubXactEvent event, SubTransactionId own, SubTransactionId parent) {
         note_subtransaction("third", event, own, parent);
     },
     nullptr}};

// Parts of shared memory, each of another size.
constexpr int part_count = 12;

struct counted_part {
    LWLock *lock;
    int number;
    int count;
    char rest[FLEXIBLE_ARRAY_MEMBER];
};

counted_part *parts[part_count];

template <int Number>
Size room_of_part() {
    return offsetof(counted_part, rest) + 1 + static_cast<Size>(Number) * 1000;
}

template <int Number>
void set_up_part(void *memory, LWLock *lock, bool found) {
    auto *part = static_cast<counted_part *>(memory);
    parts[Number] = part;
    if (found)
        return;
    part->lock = lock;
    part->number = Number;
    part->count = 0;
    // To the last byte: what another part has would show.
    std::memset(part->rest, Number, room_of_part<Number>() - offsetof(counted_part, rest));
}

template <int Number>
void add_part() {
    // Some have no lock.
    static char name[] = "lockstep wall 00";
    static shared_part part = {name, room_of_part<Number>, Number % 3 == 0 ? nullptr : name,
                               set_up_part<Number>, nullptr};
    name[sizeof(name) - 3] = '0' + Number / 10;
    name[sizeof(name) - 2] = '0' + Number % 10;
    lockstep_add_shared_part(&part);
}

template <int... Numbers>
void add_parts(std::integer_sequence<int, Numbers...> /*numbers*/) {
    (add_part<Numbers>(), ...);
}

// Workers that do what a setting says, each in its database.
char *statement = nullptr;

void run_statement() {
    spi_session session;
    execute(statement);
    session.finish();
}

long work_and_wait() {
    if (*statement == '\0')
        return -1;
    (void)lockstep_do_work([] { enter(run_statement); });
    return 50;
}

const worker_kind first_worker = {.name = "lockstep wall first",
                                  .library = "lockstep_wall",
                                  .main = "lockstep_wall_first_main",
                                  .database = "postgres",
                                  .role = nullptr,
                                  .starts = BgWorkerStart_RecoveryFinished,
                                  .restart_s = 1,
                                  .round = work_and_wait};

const worker_kind second_worker = {.name = "lockstep wall second",
                                   .library = "lockstep_wall",
                                   .main = "lockstep_wall_second_main",
                                   .database = "wall",
                                   .role = "wall_worker",
                                   .starts = BgWorkerStart_RecoveryFinished,
                                   .restart_s = 1,
                                   .round = work_and_wait};

} // namespace

void _PG_init(void) {
    DefineCustomStringVariable("lockstep_wall.statement", "What the workers do, over and over.",
                               nullptr, &statement, "", PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    for (error_report_subscriber &one : reports)
        lockstep_subscribe_to_error_reports(&one);
    for (transaction_subscriber &one : ends)
        lockstep_subscribe_to_transaction_ends(&one);
    add_parts(std::make_integer_sequence<int, part_count>());
    lockstep_add_worker(&first_worker);
    lockstep_add_worker(&second_worker);
}

void lockstep_wall_first_main(Datum /*argument*/) {
    lockstep_run_worker(&first_worker);
}

void lockstep_wall_second_main(Datum /*argument*/) {
    lockstep_run_worker(&second_worker);
}

LOCKSTEP_FUNCTION(lockstep_wall_watch) {
    is_watching = PG_GETARG_BOOL(0);
    seen[0] = '\0';
    PG_RETURN_VOID();
}

LOCKSTEP_FUNCTION(lockstep_wall_seen) {
    return text_datum(seen);
}

// Adds one to the counter of every part; how often that was done, where all parts say the same and
// each has what is its own.
LOCKSTEP_FUNCTION(lockstep_wall_count_parts) {
    return Int32GetDatum(pg_call([] {
        int count = -1;
        for (int number = 0; number < part_count; ++number) {
            counted_part *part = parts[number];
            if (part == nullptr)
                elog(ERROR, "part %d was not set up", number);
            if ((part->lock == nullptr) != (number % 3 == 0))
                elog(ERROR, "part %d has a lock, or has none", number);
            if (part->lock != nullptr)
                LWLockAcquire(part->lock, LW_EXCLUSIVE);
            ++part->count;
            if (count >= 0 && part->count != count)
                elog(ERROR, "part %d counts %d, not %d", number, part->count, count);
            count = part->count;
            // All are held at once at the end, so no two have one lock.
            for (int i = 0; i <= number * 1000; ++i)
                if (part->number != number || part->rest[i] != number)
                    elog(ERROR, "part %d has other bytes", number);
        }
        for (counted_part *part : parts)
            if (part->lock != nullptr)
                LWLockRelease(part->lock);
        return count;
    }));
}
