// A batch of movements in memory: keys become numbers of rows, items change the rows that were
// locked, in the order of the request, and what is left is one change a row. Nothing here knows
// where rows live.
#pragma once

#include "core/call_memory.hpp"
#include "core/movement.hpp"
#include "core/request_id.hpp"
#include "core/sql_error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>

namespace lockstep {

constexpr std::uint32_t no_row = std::numeric_limits<std::uint32_t>::max();

// One movement: numbers of rows, of which one may be absent (an adjustment has one leg).
struct batch_item {
    std::uint32_t from = no_row;
    std::uint32_t to = no_row;
    money amount; // checked against the column, above zero
    std::optional<std::int64_t> expected_version;
};

// A row that the batch touches: as it was locked, and from then on as the items leave it.
struct batch_row {
    std::optional<row_state> state; // nothing: there is no such row
    std::int64_t movements = 0;     // how many items have moved it
};

// What became of an item. A refused one tells the balances as they stayed.
struct item_outcome {
    const char *refused = nullptr; // the SQLSTATE of the refusal
    std::optional<money> from_balance;
    std::optional<money> to_balance;
};

// What messages call a row: row 7 of ledger "accounts". Made for the message alone.
using row_names = std::function<std::string(std::uint32_t row)>;

// The error, with the item that it is about at the head of its detail: the first one is number 1.
[[nodiscard]] sql_error of_item(const sql_error &error, std::size_t position);

// Runs a step for one item; an error of it says which item that was.
template <class Step>
void for_item(std::size_t position, Step step) {
    try {
        step();
    } catch (const sql_error &error) {
        throw of_item(error, position);
    }
}

// An error about a row of the call, by the row's number. Whose item it is, the movements know.
class row_error : public sql_error {
  public:
    row_error(const sql_error &error, std::size_t number) : sql_error(error), number_(number) {}

    [[nodiscard]] std::size_t number() const noexcept { return number_; }

  private:
    std::size_t number_;
};

// Runs a step for one row; an error of it says which row that was.
template <class Step>
auto for_row(std::size_t number, Step step) {
    try {
        return step();
    } catch (const sql_error &error) {
        throw row_error(error, number);
    }
}

// Applies an item to the rows, or refuses it and leaves them as they are. The refusal is the one
// that decide() finds. Throws sql_error 22003 where nothing speaks against the movement and a row's
// amount could not be kept (in its column; its version in 64 bits).
[[nodiscard]] std::optional<refusal> apply_item(std::span<batch_row> rows, const batch_item &item,
                                                const amount_type &type, const row_names &names,
                                                item_outcome &outcome);

// The distinct keys of a batch. A place is where a key stands among the keys of all items, in the
// order of the items: of each the giver's, then the taker's, where it has both. Rows are numbered
// in the order of their keys, which is the order of locking.
struct row_numbers {
    call_vector<std::uint32_t> of_place; // the number of each place's row
    call_vector<std::uint32_t> place_of; // a place of each row
};

// From the places, sorted by their keys: is_same tells whether two neighbours have the same key.
template <class Same>
[[nodiscard]] row_numbers number_rows(const call_vector<std::uint32_t> &sorted, Same is_same) {
    row_numbers numbers;
    numbers.of_place.resize(sorted.size());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i == 0 || !is_same(sorted[i - 1], sorted[i]))
            numbers.place_of.push_back(sorted[i]);
        numbers.of_place[sorted[i]] = static_cast<std::uint32_t>(numbers.place_of.size() - 1);
    }
    return numbers;
}

// The same for keys that are whole numbers.
[[nodiscard]] row_numbers number_rows(std::span<const std::int64_t> keys);

// The items in the order of their request ids, items of one id in the order of the request.
[[nodiscard]] call_vector<std::uint32_t> sorted_by_id(std::span<const uuid_bytes> ids);

// For each item the first one of the batch that has its id: itself, unless the id comes twice.
[[nodiscard]] call_vector<std::uint32_t> first_of_id(std::span<const uuid_bytes> ids,
                                                     std::span<const std::uint32_t> sorted);

} // namespace lockstep
