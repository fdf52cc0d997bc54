#include "core/batch.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace lockstep {

namespace {

// A leg as decide() wants it: the row as it would be after the movement.
struct moved_leg {
    batch_row *row = nullptr;        // null: the item has no such leg
    std::optional<money> after = {}; // nothing: no such row, or more digits than numeric has
};

moved_leg moved(std::span<batch_row> rows, std::uint32_t number, const money &change) {
    if (number == no_row)
        return {};
    batch_row &row = rows[number];
    if (!row.state)
        return {&row};
    return {&row, row.state->amount->plus(change)};
}

// Whether a movement of the row is fine without a closer look.
bool is_fine(const moved_leg &one, const amount_type &type) {
    if (one.row == nullptr)
        return true;
    return one.after && !one.row->state->frozen && fits(*one.after, type);
}

bool counts_up(const batch_row &row) {
    std::int64_t next = 0;
    return !row.state->version || !__builtin_add_overflow(*row.state->version, 1, &next);
}

leg seen(const moved_leg &one, std::uint32_t number, const row_names &names) {
    leg shown{[&names, number] { return names(number); }, std::nullopt};
    if (one.row->state) {
        shown.after = one.row->state;
        // Out of the digits of numeric is out of any column: it is told when nothing else is wrong.
        if (one.after)
            shown.after->amount = one.after;
        if (shown.after->version && counts_up(*one.row))
            ++*shown.after->version;
    }
    return shown;
}

[[noreturn]] void out_of_range(const char *what, std::uint32_t number, const row_names &names) {
    throw sql_error(state::numeric_value_out_of_range,
                    std::string{what} + " of " + names(number) + " is out of range");
}

// The long way, for an item that something seems to be wrong with.
std::optional<refusal> look_closer(const moved_leg &from, const moved_leg &to,
                                   const batch_item &item, const amount_type &type,
                                   const row_names &names) {
    std::optional<leg> giver;
    std::optional<leg> taker;
    if (from.row != nullptr)
        giver = seen(from, item.from, names);
    if (to.row != nullptr)
        taker = seen(to, item.to, names);
    if (auto no = decide(giver ? &*giver : nullptr, taker ? &*taker : nullptr, item.amount,
                         item.expected_version))
        return no;
    for (const auto &[one, number] : {std::pair{&from, item.from}, std::pair{&to, item.to}}) {
        if (one->row == nullptr)
            continue;
        if (!one->after || !fits(*one->after, type))
            out_of_range("balance", number, names);
        if (!counts_up(*one->row))
            out_of_range("version", number, names);
    }
    return std::nullopt;
}

void move(const moved_leg &one) {
    if (one.row == nullptr)
        return;
    one.row->state->amount = one.after;
    if (one.row->state->version)
        ++*one.row->state->version;
    ++one.row->movements;
}

std::optional<money> balance_of(const moved_leg &one) {
    return one.row != nullptr && one.row->state ? one.row->state->amount : std::nullopt;
}

// Whether the two rows, which are there, agree where they must.
bool do_match(const moved_leg &from, const moved_leg &to) {
    if (from.row == nullptr || to.row == nullptr)
        return true;
    const matched_values *const values = from.row->state->matched;
    return values == nullptr || !values->first_mismatch(*values, *to.row->state->matched);
}

bool within_bounds(const moved_leg &from, const moved_leg &to) {
    const auto below = [](const moved_leg &one) {
        return one.row != nullptr && one.row->state->floor && *one.after < *one.row->state->floor;
    };
    const auto above = [](const moved_leg &one) {
        return one.row != nullptr && one.row->state->ceiling &&
               *one.after > *one.row->state->ceiling;
    };
    return !below(from) && !above(to);
}

// Bytes in order are numbers in order when the first byte counts most.
std::array<std::uint64_t, 2> words_of(const uuid_bytes &id) {
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), id.data(), id.size());
    if constexpr (std::endian::native == std::endian::little)
        for (std::uint64_t &word : words)
            word = __builtin_bswap64(word);
    return words;
}

} // namespace

sql_error of_item(const sql_error &error, std::size_t position) {
    const std::string where = "Item " + std::to_string(position + 1) + " of the batch.";
    return {error.sqlstate(), error.what(),
            error.detail().empty() ? where : where + "  " + error.detail(), error.hint()};
}

std::optional<refusal> apply_item(std::span<batch_row> rows, const batch_item &item,
                                  const amount_type &type, const row_names &names,
                                  item_outcome &outcome) {
    const moved_leg from = moved(rows, item.from, item.amount.negated());
    const moved_leg to = moved(rows, item.to, item.amount);
    const bool fine = !item.expected_version && is_fine(from, type) && is_fine(to, type) &&
                      (from.row == nullptr || counts_up(*from.row)) &&
                      (to.row == nullptr || counts_up(*to.row)) && within_bounds(from, to) &&
                      do_match(from, to);
    std::optional<refusal> no;
    if (!fine)
        no = look_closer(from, to, item, type, names);
    if (no) {
        outcome.refused = no->sqlstate;
    } else {
        outcome.refused = nullptr;
        move(from);
        move(to);
    }
    outcome.from_balance = balance_of(from);
    outcome.to_balance = balance_of(to);
    return no;
}

row_numbers number_rows(std::span<const std::int64_t> keys) {
    struct placed {
        std::int64_t key;
        std::uint32_t place;
    };
    call_vector<placed> all;
    all.reserve(keys.size());
    for (const std::int64_t key : keys)
        all.push_back({key, static_cast<std::uint32_t>(all.size())});
    std::sort(all.begin(), all.end(),
              [](const placed &a, const placed &b) { return a.key < b.key; });
    row_numbers numbers;
    numbers.of_place.resize(keys.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i == 0 || all[i - 1].key != all[i].key)
            numbers.place_of.push_back(all[i].place);
        numbers.of_place[all[i].place] = static_cast<std::uint32_t>(numbers.place_of.size() - 1);
    }
    return numbers;
}

call_vector<std::uint32_t> sorted_by_id(std::span<const uuid_bytes> ids) {
    struct placed {
        std::array<std::uint64_t, 2> words;
        std::uint32_t item;
        auto operator<=>(const placed &) const = default;
    };
    call_vector<placed> all;
    all.reserve(ids.size());
    for (const uuid_bytes &id : ids)
        all.push_back({words_of(id), static_cast<std::uint32_t>(all.size())});
    // Ids that lead with the time come sorted.
    if (!std::is_sorted(all.begin(), all.end()))
        std::sort(all.begin(), all.end());
    call_vector<std::uint32_t> items;
    items.reserve(all.size());
    for (const placed &one : all)
        items.push_back(one.item);
    return items;
}

call_vector<std::uint32_t> first_of_id(std::span<const uuid_bytes> ids,
                                       std::span<const std::uint32_t> sorted) {
    call_vector<std::uint32_t> first(ids.size());
    std::uint32_t leader = 0;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        if (i == 0 || ids[sorted[i - 1]] != ids[sorted[i]])
            leader = sorted[i];
        first[sorted[i]] = leader;
    }
    return first;
}

} // namespace lockstep
