#include "locking/lock_sets.hpp"

#include "locking/order_guard.hpp"
#include "locking/row_locks.hpp"

#include <algorithm>
#include <memory>

namespace lockstep {

namespace {

// A row to be locked: the first place where it was asked for, and the strongest of the strengths.
struct wanted_row {
    Datum key;
    asked_key first;
    lock_strength strength;
};

// All that is asked of one table, in the order of its keys.
struct wanted_table {
    std::unique_ptr<table_use> use;
    std::vector<wanted_row> rows;
};

// What was opened last is let go of first.
struct wanted_tables {
    std::vector<wanted_table> all;

    wanted_tables() = default;
    ~wanted_tables() {
        while (!all.empty())
            all.pop_back();
    }
    wanted_tables(const wanted_tables &) = delete;
    wanted_tables &operator=(const wanted_tables &) = delete;
};

wanted_table wanted_of(Oid table, std::span<const lock_set> sets) {
    wanted_table wanted{std::make_unique<table_use>(table), {}};
    call_vector<Datum> keys;
    std::vector<asked_key> places;
    for (std::size_t set = 0; set < sets.size(); ++set) {
        if (sets[set].table != table)
            continue;
        const array_elements &given = sets[set].keys;
        const auto read = wanted.use->keys_from(given.values, given.type, "key");
        keys.insert(keys.end(), read.begin(), read.end());
        for (std::size_t item = 0; item < read.size(); ++item)
            places.push_back({set, item});
    }
    const row_numbers numbers = number_keys_of(wanted.use->table().key, keys);
    for (const std::uint32_t place : numbers.place_of)
        wanted.rows.push_back({keys[place], places[place], sets[places[place].set].strength});
    for (std::size_t place = places.size(); place-- > 0;) {
        wanted_row &row = wanted.rows[numbers.of_place[place]];
        row.first = places[place];
        row.strength = std::max(row.strength, sets[places[place].set].strength);
    }
    return wanted;
}

// Rows that stand side by side and are locked in the same strength go into one statement.
void lock_in(const wanted_table &wanted, lock_wait wait, std::vector<asked_key> &locked) {
    const std::vector<wanted_row> &rows = wanted.rows;
    for (std::size_t begin = 0, end = 0; begin < rows.size(); begin = end) {
        call_vector<Datum> keys;
        for (end = begin; end < rows.size() && rows[end].strength == rows[begin].strength; ++end)
            keys.push_back(rows[end].key);
        const auto found = lock_rows(*wanted.use, keys, rows[begin].strength, wait);
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (found[i])
                locked.push_back(rows[begin + i].first);
    }
}

} // namespace

std::vector<asked_key> lock_all(std::span<const lock_set> sets, lock_wait wait) {
    std::vector<Oid> tables;
    for (const lock_set &one : sets)
        if (std::ranges::find(tables, one.table) == tables.end())
            tables.push_back(one.table);
    std::ranges::sort(tables, [](Oid a, Oid b) { return is_table_above(b, a); });
    // All keys are read before the first row is locked: code of the user's may run there.
    wanted_tables wanted;
    for (const Oid table : tables)
        wanted.all.push_back(wanted_of(table, sets));
    std::vector<asked_key> locked;
    for (const wanted_table &one : wanted.all)
        lock_in(one, wait, locked);
    while (!wanted.all.empty()) {
        wanted.all.back().use->close();
        wanted.all.pop_back();
    }
    return locked;
}

} // namespace lockstep
