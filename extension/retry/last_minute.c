#include "pg/version.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#include "retry/last_minute.h"

#define SECONDS_KEPT 64 /* a power of two; a minute, and a few for a reader that is late */
#define SECONDS_SHOWN 60
#define BITS_OF_SECOND 40

/* A second of one process. The tag is the second and the number of resets; 0: being emptied. */
typedef struct one_second {
    pg_atomic_uint64 tag;
    pg_atomic_uint64 counts[MINUTE_COUNTS];
} one_second;

/* A whole number of cache lines: 48 bytes a second, 3 kB a process. */
struct process_seconds {
    one_second seconds[SECONDS_KEPT];
};

Size lockstep_room_for_minute(void) {
    return mul_size(sizeof(process_seconds), MaxBackends);
}

void lockstep_set_up_minute(process_seconds *all) {
    for (int process = 0; process < MaxBackends; ++process)
        for (int i = 0; i < SECONDS_KEPT; ++i) {
            one_second *const second = &all[process].seconds[i];

            pg_atomic_init_u64(&second->tag, 0);
            for (int which = 0; which < MINUTE_COUNTS; ++which)
                pg_atomic_init_u64(&second->counts[which], 0);
        }
}

static uint64 number_of(TimestampTz now) {
    return (uint64)now / USECS_PER_SEC;
}

static uint64 tag_of(uint32 resets, uint64 number) {
    return (uint64)resets << BITS_OF_SECOND | number;
}

void lockstep_add_to_minute(process_seconds *all, uint32 resets, TimestampTz now,
                            minute_count which, uint64 amount) {
    const int slot = (int)(MyProc - ProcGlobal->allProcs);
    const uint64 tag = tag_of(resets, number_of(now));
    one_second *second;

    Assert(slot >= 0 && which < MINUTE_COUNTS);
    if (slot >= MaxBackends)
        return;
    second = &all[slot].seconds[number_of(now) % SECONDS_KEPT];
    if (pg_atomic_read_u64(&second->tag) != tag) {
        pg_atomic_write_u64(&second->tag, 0);
        pg_write_barrier();
        for (int i = 0; i < MINUTE_COUNTS; ++i)
            pg_atomic_write_u64(&second->counts[i], 0);
        pg_write_barrier();
        pg_atomic_write_u64(&second->tag, tag);
    }
    /* Nobody else writes it: no need of an atomic addition. */
    pg_atomic_write_u64(&second->counts[which],
                        pg_atomic_read_u64(&second->counts[which]) + amount);
}

/* One that is emptied meanwhile was too old, or is just beginning. */
static void add_second(one_second *second, uint64 tag, uint64 sums[MINUTE_COUNTS]) {
    uint64 counts[MINUTE_COUNTS];

    pg_read_barrier();
    for (int i = 0; i < MINUTE_COUNTS; ++i)
        counts[i] = pg_atomic_read_u64(&second->counts[i]);
    pg_read_barrier();
    if (pg_atomic_read_u64(&second->tag) != tag)
        return;
    for (int i = 0; i < MINUTE_COUNTS; ++i)
        sums[i] += counts[i];
}

void lockstep_sum_minute(process_seconds *all, uint32 resets, TimestampTz now,
                         uint64 sums[MINUTE_COUNTS]) {
    /* An event is dated before this was asked, or by a clock that was set back meanwhile. */
    const uint64 last = tag_of(resets, number_of(now));

    memset(sums, 0, sizeof(uint64) * MINUTE_COUNTS);
    for (int process = 0; process < MaxBackends; ++process)
        for (int i = 0; i < SECONDS_KEPT; ++i) {
            one_second *const second = &all[process].seconds[i];
            const uint64 tag = pg_atomic_read_u64(&second->tag);

            if (tag <= last && last - tag < SECONDS_SHOWN)
                add_second(second, tag, sums);
        }
}
