#include "pg/counters.h"

#include "miscadmin.h"
#include "storage/shmem.h"

typedef struct shared_counters {
    LWLock *lock;            /* of whoever empties something */
    pg_atomic_uint32 resets; /* an even number: the first table counts */
} shared_counters;

/* Of a place; 0: it is free. Taken away last. */
static pg_atomic_uint64 *owner_of(counter_table *table, int32 place) {
    pg_atomic_uint64 *const owners =
        (pg_atomic_uint64 *)&table->rows[(Size)(table->places + 1) * table->kinds];

    Assert(place >= 0 && place < table->places);
    return &owners[place];
}

static counter_row *row_at(counter_table *table, int32 place, int32 kind) {
    Assert(place >= 0 && place <= table->places && kind >= 0 && kind < table->kinds);
    return &table->rows[place * table->kinds + kind];
}

static Size room_for_table(int32 places, int32 kinds) {
    const Size rows = mul_size(add_size(places, 1), kinds);

    return CACHELINEALIGN(
        add_size(add_size(offsetof(counter_table, rows), mul_size(sizeof(counter_row), rows)),
                 mul_size(sizeof(pg_atomic_uint64), places)));
}

Size lockstep_room_for_counters(int32 places, int32 kinds) {
    return add_size(CACHELINEALIGN(sizeof(shared_counters)),
                    mul_size(2, room_for_table(places, kinds)));
}

static void set_up_table(counter_table *table, int32 places, int32 kinds) {
    table->places = places;
    table->kinds = kinds;
    for (int32 place = 0; place < places; ++place)
        pg_atomic_init_u64(owner_of(table, place), 0);
    for (int32 i = 0; i < (places + 1) * kinds; ++i)
        for (int j = 0; j < LOCKSTEP_COUNTERS_A_ROW; ++j)
            pg_atomic_init_u64(&table->rows[i].counts[j], 0);
}

void lockstep_set_up_counters(counter_tables *tables, void *at, LWLock *lock, bool found,
                              int32 places, int32 kinds) {
    char *next = at;

    tables->shared = at;
    next += CACHELINEALIGN(sizeof(shared_counters));
    for (int i = 0; i < 2; ++i) {
        tables->both[i] = (counter_table *)next;
        next += room_for_table(places, kinds);
    }
    if (found)
        return;
    tables->shared->lock = lock;
    pg_atomic_init_u32(&tables->shared->resets, 0);
    for (int i = 0; i < 2; ++i)
        set_up_table(tables->both[i], places, kinds);
}

uint32 lockstep_counter_resets(const counter_tables *tables) {
    return pg_atomic_read_u32(&tables->shared->resets);
}

counter_table *lockstep_counters_since(const counter_tables *tables, uint32 resets) {
    return tables->both[resets % 2];
}

static void clear_place(counter_table *table, int32 place) {
    for (int32 kind = 0; kind < table->kinds; ++kind)
        for (int i = 0; i < LOCKSTEP_COUNTERS_A_ROW; ++i)
            pg_atomic_write_u64(&row_at(table, place, kind)->counts[i], 0);
}

static void free_place(counter_table *table, int32 place) {
    clear_place(table, place);
    pg_write_barrier();
    pg_atomic_write_u64(owner_of(table, place), 0);
}

void lockstep_reset_counters(const counter_tables *tables) {
    shared_counters *const shared = tables->shared;
    counter_table *emptied;
    uint32 next;

    LWLockAcquire(shared->lock, LW_EXCLUSIVE);
    next = pg_atomic_read_u32(&shared->resets) + 1;
    emptied = tables->both[next % 2];
    for (int32 place = 0; place < emptied->places; ++place)
        free_place(emptied, place);
    clear_place(emptied, emptied->places);
    pg_write_barrier();
    pg_atomic_write_u32(&shared->resets, next);
    LWLockRelease(shared->lock);
}

/* Places become free in between, so one's own may be behind a free one. */
static int32 find_place(counter_table *table, uint64 owner) {
    for (int32 place = 0; place < table->places; ++place)
        if (pg_atomic_read_u64(owner_of(table, place)) == owner)
            return place;
    return table->places;
}

static int32 take_place(counter_table *table, uint64 owner) {
    for (int32 place = 0; place < table->places; ++place) {
        uint64 there = pg_atomic_read_u64(owner_of(table, place));

        /* A lost race leaves the winner in `there`: it may be our owner too. */
        if (there == 0 && pg_atomic_compare_exchange_u64(owner_of(table, place), &there, owner))
            return place;
        if (there == owner)
            return place;
    }
    return table->places;
}

counter_row *lockstep_counters_of(counter_table *table, uint64 owner, int32 *last, int32 kind) {
    Assert(owner != 0);
    if (*last < table->places && pg_atomic_read_u64(owner_of(table, *last)) == owner)
        return row_at(table, *last, kind);
    *last = find_place(table, owner);
    if (*last == table->places)
        *last = take_place(table, owner);
    return row_at(table, *last, kind);
}

bool lockstep_has_counters(const counter_tables *tables, uint64 owner) {
    return find_place(tables->both[0], owner) < tables->both[0]->places ||
           find_place(tables->both[1], owner) < tables->both[1]->places;
}

void lockstep_forget_counters(const counter_tables *tables, uint64 owner, uint64 mask) {
    LWLockAcquire(tables->shared->lock, LW_EXCLUSIVE);
    for (int i = 0; i < 2; ++i)
        for (int32 place = 0; place < tables->both[i]->places; ++place) {
            const uint64 there = pg_atomic_read_u64(owner_of(tables->both[i], place));

            if (there != 0 && (there & mask) == (owner & mask))
                free_place(tables->both[i], place);
        }
    LWLockRelease(tables->shared->lock);
}

bool lockstep_copy_counters(counter_table *table, int32 place, int32 kind, counter_copy *to) {
    counter_row *const row = row_at(table, place, kind);
    bool any = false;

    to->owner = place == table->places ? 0 : pg_atomic_read_u64(owner_of(table, place));
    if (place != table->places && to->owner == 0)
        return false;
    pg_read_barrier();
    for (int i = 0; i < LOCKSTEP_COUNTERS_A_ROW; ++i) {
        to->counts[i] = (int64)pg_atomic_read_u64(&row->counts[i]);
        any = any || to->counts[i] != 0;
    }
    pg_read_barrier();
    /* It may have changed hands meanwhile. */
    return any &&
           (place == table->places || pg_atomic_read_u64(owner_of(table, place)) == to->owner);
}

void lockstep_raise_counter(pg_atomic_uint64 *counter, uint64 value) {
    uint64 before = pg_atomic_read_u64(counter);

    while (before < value && !pg_atomic_compare_exchange_u64(counter, &before, value))
        ;
}
