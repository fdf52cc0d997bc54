#include "retry/pause.hpp"

#include "pg/boundary.hpp"

namespace lockstep {

namespace {

bool waits_for_row(uint32 event) {
    return event == (PG_WAIT_LOCK | LOCKTAG_TUPLE) || event == (PG_WAIT_LOCK | LOCKTAG_TRANSACTION);
}

} // namespace

int rivals() {
    const uint32 pausing = pg_call([] { return version::retry_wait_event(); });
    int found = 0;
    for (uint32 i = 0; i < ProcGlobal->allProcCount; ++i) {
        const PGPROC &other = ProcGlobal->allProcs[i];
        const uint32 event = other.wait_event_info;
        if (&other != MyProc && other.databaseId == MyDatabaseId &&
            (waits_for_row(event) || event == pausing))
            ++found;
    }
    return found;
}

std::chrono::microseconds deadlock_timeout() noexcept {
    return std::chrono::milliseconds{DeadlockTimeout};
}

std::chrono::microseconds jittered(backoff_range range, int nth) noexcept {
    return full_jitter(range, nth, pg_prng_uint64(&pg_global_prng_state));
}

void pause(std::chrono::microseconds length) {
    const TimestampTz until = GetCurrentTimestamp() + length.count();
    pg_call([until] {
        for (;;) {
            CHECK_FOR_INTERRUPTS();
            const TimestampTz left = until - GetCurrentTimestamp();
            if (left <= 0)
                break;
            // The server's waits count milliseconds.
            if (left < 1000) {
                pg_usleep(static_cast<long>(left));
                continue;
            }
            static_cast<void>(WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
                                        static_cast<long>(left / 1000),
                                        version::retry_wait_event()));
            ResetLatch(MyLatch);
        }
    });
}

} // namespace lockstep
