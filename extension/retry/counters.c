#include "retry/counters.h"

#include "miscadmin.h"
#include "storage/shmem.h"

/* Of a place; InvalidOid: it is free. Taken away last. */
static pg_atomic_uint32 *owner_of(counter_table *table, int32 place) {
    pg_atomic_uint32 *const owners =
        (pg_atomic_uint32 *)&table->rows[(Size)(table->databases + 1) * table->kinds];

    Assert(place >= 0 && place < table->databases);
    return &owners[place];
}

static counter_row *row_at(counter_table *table, int32 place, int32 kind) {
    Assert(place >= 0 && place <= table->databases && kind >= 0 && kind < table->kinds);
    return &table->rows[place * table->kinds + kind];
}

Size lockstep_room_for_counters(int32 databases, int32 kinds) {
    const Size rows = mul_size(add_size(databases, 1), kinds);

    return add_size(add_size(offsetof(counter_table, rows), mul_size(sizeof(counter_row), rows)),
                    mul_size(sizeof(pg_atomic_uint32), databases));
}

void lockstep_set_up_counters(counter_table *table, int32 databases, int32 kinds) {
    table->databases = databases;
    table->kinds = kinds;
    for (int32 place = 0; place < databases; ++place)
        pg_atomic_init_u32(owner_of(table, place), InvalidOid);
    for (int32 i = 0; i < (databases + 1) * kinds; ++i)
        for (int j = 0; j < LOCKSTEP_COUNTERS_A_ROW; ++j)
            pg_atomic_init_u64(&table->rows[i].counts[j], 0);
}

static void clear_place(counter_table *table, int32 place) {
    for (int32 kind = 0; kind < table->kinds; ++kind)
        for (int i = 0; i < LOCKSTEP_COUNTERS_A_ROW; ++i)
            pg_atomic_write_u64(&row_at(table, place, kind)->counts[i], 0);
}

static void free_place(counter_table *table, int32 place) {
    clear_place(table, place);
    pg_write_barrier();
    pg_atomic_write_u32(owner_of(table, place), InvalidOid);
}

void lockstep_clear_counters(counter_table *table) {
    for (int32 place = 0; place < table->databases; ++place)
        free_place(table, place);
    clear_place(table, table->databases);
}

/* Places become free in between, so one's own may be behind a free one. */
static int32 find_place(counter_table *table, Oid database) {
    for (int32 place = 0; place < table->databases; ++place)
        if (pg_atomic_read_u32(owner_of(table, place)) == database)
            return place;
    return table->databases;
}

static int32 take_place(counter_table *table, Oid database) {
    for (int32 place = 0; place < table->databases; ++place) {
        uint32 owner = pg_atomic_read_u32(owner_of(table, place));

        /* A lost race leaves the winner in `owner`: it may be of our database too. */
        if (owner == InvalidOid &&
            pg_atomic_compare_exchange_u32(owner_of(table, place), &owner, database))
            return place;
        if (owner == database)
            return place;
    }
    return table->databases;
}

/* A session stays in its database, and the database in its place. */
static int32 own_place(counter_table *table) {
    static int32 last = 0;

    if (last < table->databases && pg_atomic_read_u32(owner_of(table, last)) == MyDatabaseId)
        return last;
    last = find_place(table, MyDatabaseId);
    if (last == table->databases)
        last = take_place(table, MyDatabaseId);
    return last;
}

counter_row *lockstep_counters_of(counter_table *table, int32 kind) {
    return row_at(table, own_place(table), kind);
}

void lockstep_forget_database(counter_table *table, Oid database) {
    for (int32 place = 0; place < table->databases; ++place)
        if (pg_atomic_read_u32(owner_of(table, place)) == database)
            free_place(table, place);
}

bool lockstep_copy_counters(counter_table *table, int32 place, int32 kind, counter_copy *to) {
    counter_row *const row = row_at(table, place, kind);
    bool any = false;

    to->database =
        place == table->databases ? InvalidOid : pg_atomic_read_u32(owner_of(table, place));
    if (place != table->databases && to->database == InvalidOid)
        return false;
    pg_read_barrier();
    for (int i = 0; i < LOCKSTEP_COUNTERS_A_ROW; ++i) {
        to->counts[i] = (int64)pg_atomic_read_u64(&row->counts[i]);
        any = any || to->counts[i] != 0;
    }
    pg_read_barrier();
    /* It may have changed hands meanwhile. */
    return any && (place == table->databases ||
                   pg_atomic_read_u32(owner_of(table, place)) == to->database);
}

void lockstep_raise_counter(pg_atomic_uint64 *counter, uint64 value) {
    uint64 before = pg_atomic_read_u64(counter);

    while (before < value && !pg_atomic_compare_exchange_u64(counter, &before, value))
        ;
}
