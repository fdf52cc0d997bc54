#include "retry/counters.h"

#include "storage/shmem.h"

Size lockstep_room_for_counters(int32 size) {
    return add_size(offsetof(counter_table, rows), mul_size(sizeof(counter_row), size));
}

static void set_up_row(counter_row *row) {
    pg_atomic_init_u64(&row->key, 0);
    for (int i = 0; i < LOCKSTEP_COUNTERS_A_ROW; ++i)
        pg_atomic_init_u64(&row->counts[i], 0);
}

void lockstep_set_up_counters(counter_table *table, int32 size) {
    table->size = size;
    set_up_row(&table->others);
    for (int32 i = 0; i < size; ++i)
        set_up_row(&table->rows[i]);
}

static void clear_row(counter_row *row) {
    for (int i = 0; i < LOCKSTEP_COUNTERS_A_ROW; ++i)
        pg_atomic_write_u64(&row->counts[i], 0);
    pg_atomic_write_u64(&row->key, 0);
}

void lockstep_clear_counters(counter_table *table) {
    clear_row(&table->others);
    for (int32 i = 0; i < table->size; ++i)
        clear_row(&table->rows[i]);
}

counter_row *lockstep_counters_of(counter_table *table, uint64 key) {
    /* Fibonacci's hash: the best bits are the upper ones. */
    const uint32 start = (uint32)((key * UINT64CONST(0x9E3779B97F4A7C15)) >> 32);

    for (int32 i = 0; i < table->size; ++i) {
        counter_row *const row = &table->rows[(start + i) & (table->size - 1)];
        uint64 owner = pg_atomic_read_u64(&row->key);

        /* A lost race leaves the winner's key in `owner`: it may be ours too. */
        if (owner == 0 && pg_atomic_compare_exchange_u64(&row->key, &owner, key))
            return row;
        if (owner == key)
            return row;
    }
    return &table->others;
}

void lockstep_raise_counter(pg_atomic_uint64 *counter, uint64 value) {
    uint64 before = pg_atomic_read_u64(counter);

    while (before < value && !pg_atomic_compare_exchange_u64(counter, &before, value))
        ;
}
