// A batch in memory against a plain model: one item after the other, on a map of balances.
#include "core/batch.hpp"

#include "random_seed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace lockstep;

constexpr amount_type whole{amount_type::kind::int64, false, 0, 0};

money units(std::int64_t amount) {
    return money{amount};
}

batch_row row(std::int64_t amount, std::optional<std::int64_t> floor = 0,
              std::optional<std::int64_t> ceiling = std::nullopt, bool frozen = false) {
    row_state state{};
    state.amount = units(amount);
    if (floor)
        state.floor = units(*floor);
    if (ceiling)
        state.ceiling = units(*ceiling);
    state.version = 1;
    state.frozen = frozen;
    return {state, 0};
}

batch_item move(std::uint32_t from, std::uint32_t to, std::int64_t amount) {
    return {from, to, units(amount), std::nullopt};
}

// A colour, which both rows of a movement must have in common.
struct coloured : matched_values {
    int colour;
};

coloured of_colour(int colour) {
    coloured made{};
    made.first_mismatch = [](const matched_values &from,
                             const matched_values &to) -> std::optional<mismatch> {
        const int gives = static_cast<const coloured &>(from).colour;
        const int takes = static_cast<const coloured &>(to).colour;
        if (gives == takes)
            return std::nullopt;
        return mismatch{"colour", std::to_string(gives), std::to_string(takes)};
    };
    made.colour = colour;
    return made;
}

const std::array colours{of_colour(0), of_colour(1)};

const row_names names = [](std::uint32_t number) {
    return "row " + std::to_string(number) + " of ledger \"accounts\"";
};

// The SQLSTATE of each item, "" where it was applied.
std::vector<std::string> run_all(std::vector<batch_row> &rows, const std::vector<batch_item> &items,
                                 const amount_type &type = whole) {
    std::vector<std::string> states;
    states.reserve(items.size());
    for (const batch_item &item : items) {
        item_outcome outcome;
        const auto no = apply_item(rows, item, type, names, outcome);
        EXPECT_EQ(no.has_value(), outcome.refused != nullptr);
        states.emplace_back(outcome.refused == nullptr ? "" : outcome.refused);
    }
    return states;
}

std::vector<std::int64_t> amounts(const std::vector<batch_row> &rows) {
    std::vector<std::int64_t> all;
    all.reserve(rows.size());
    for (const batch_row &one : rows)
        all.push_back(one.state ? one.state->amount->as_int64().value() : -1);
    return all;
}

TEST(batch, holds_bounds_item_by_item_and_not_on_the_net) {
    // In the end row 0 would have 5; in between it would dip below its floor.
    std::vector<batch_row> rows{row(10), row(100)};
    const auto states = run_all(rows, {move(0, 1, 15), move(1, 0, 10), move(0, 1, 15)});
    EXPECT_EQ(states, (std::vector<std::string>{"LS001", "", ""}));
    EXPECT_EQ(amounts(rows), (std::vector<std::int64_t>{5, 105}));
    EXPECT_EQ(rows[0].movements, 2);
    EXPECT_EQ(rows[0].state->version, 3);
}

TEST(batch, tells_balances_after_each_item) {
    std::vector<batch_row> rows{row(10), row(0)};
    item_outcome outcome;
    EXPECT_FALSE(apply_item(rows, move(0, 1, 4), whole, names, outcome));
    EXPECT_EQ(outcome.from_balance, units(6));
    EXPECT_EQ(outcome.to_balance, units(4));
    const auto no = apply_item(rows, move(0, 1, 7), whole, names, outcome);
    ASSERT_TRUE(no);
    EXPECT_STREQ(no->sqlstate, "LS001");
    EXPECT_EQ(no->detail, "The balance is 6, the floor is 0, and 7 was to be taken.");
    EXPECT_EQ(outcome.from_balance, units(6));
    EXPECT_EQ(outcome.to_balance, units(4));
}

TEST(batch, refuses_for_each_reason_and_leaves_the_rows) {
    std::vector<batch_row> rows{row(10), {std::nullopt, 0}, row(10, 0, 12), row(10, 0, {}, true)};
    const auto before = amounts(rows);
    EXPECT_EQ(run_all(rows, {move(0, 1, 1), move(1, 0, 1), move(0, 2, 3), move(3, 0, 1),
                             move(0, 3, 1), move(0, 2, 11)}),
              (std::vector<std::string>{"LS003", "LS003", "LS002", "LS004", "LS004", "LS001"}));
    EXPECT_EQ(amounts(rows), before);
    for (const batch_row &one : rows)
        EXPECT_EQ(one.movements, 0);
}

TEST(batch, expects_a_version) {
    std::vector<batch_row> rows{row(10), row(10)};
    batch_item item = move(0, 1, 1);
    item.expected_version = 2;
    EXPECT_EQ(run_all(rows, {item, move(0, 1, 1), item}),
              (std::vector<std::string>{"LS030", "", ""}));
}

TEST(batch, moves_between_rows_that_match) {
    std::vector<batch_row> rows{row(10), row(10), row(10), {std::nullopt, 0}};
    for (std::size_t i = 0; i < 3; ++i)
        rows[i].state->matched = &colours[i % 2];
    rows[1].state->frozen = true;
    // A missing row speaks first; one leg alone has nothing to match.
    EXPECT_EQ(run_all(rows, {move(0, 1, 99), move(0, 2, 4), move(2, 3, 1), move(0, no_row, 1),
                             move(1, 3, 1), move(1, 0, 1)}),
              (std::vector<std::string>{"LS008", "", "LS003", "", "LS003", "LS008"}));
    EXPECT_EQ(amounts(rows), (std::vector<std::int64_t>{5, 10, 14, -1}));
    item_outcome outcome;
    const auto no = apply_item(rows, move(1, 0, 1), whole, names, outcome);
    ASSERT_TRUE(no);
    EXPECT_EQ(no->message,
              "row 1 of ledger \"accounts\" does not match row 0 of ledger \"accounts\"");
    EXPECT_EQ(no->detail, "Column \"colour\" is 1 in the giving row and 0 in the taking row.");
    EXPECT_EQ(outcome.from_balance, units(10));
}

TEST(batch, takes_one_leg_alone) {
    std::vector<batch_row> rows{row(10)};
    EXPECT_EQ(run_all(rows, {move(no_row, 0, 5), move(0, no_row, 15), move(0, no_row, 1)}),
              (std::vector<std::string>{"", "", "LS001"}));
    EXPECT_EQ(amounts(rows), (std::vector<std::int64_t>{0}));
}

TEST(batch, ends_where_a_column_cannot_hold_the_sum) {
    const amount_type small{amount_type::kind::int16, false, 0, 0};
    std::vector<batch_row> rows{row(10), row(32760), row(32760, 0, 32761)};
    item_outcome outcome;
    try {
        static_cast<void>(apply_item(rows, move(0, 1, 8), small, names, outcome));
        FAIL() << "applied";
    } catch (const sql_error &error) {
        EXPECT_STREQ(error.sqlstate(), "22003");
    }
    EXPECT_EQ(amounts(rows), (std::vector<std::int64_t>{10, 32760, 32760}));
    // A bound speaks first.
    EXPECT_EQ(run_all(rows, {move(0, 2, 8)}, small), std::vector<std::string>{"LS002"});
}

// The model knows nothing of plans: a map, and the rules as the manual has them.
struct model {
    struct account {
        std::int64_t amount, floor, ceiling;
        bool frozen;
        int colour;
    };
    std::map<std::uint32_t, account> accounts;

    std::string apply(const batch_item &item) {
        const std::int64_t amount = item.amount.as_int64().value();
        const auto from = accounts.find(item.from);
        const auto to = accounts.find(item.to);
        const bool gives = item.from != no_row;
        const bool takes = item.to != no_row;
        if ((gives && from == accounts.end()) || (takes && to == accounts.end()))
            return "LS003";
        if (gives && takes && from->second.colour != to->second.colour)
            return "LS008";
        if ((gives && from->second.frozen) || (takes && to->second.frozen))
            return "LS004";
        if (gives && from->second.amount - amount < from->second.floor)
            return "LS001";
        if (takes && to->second.amount + amount > to->second.ceiling)
            return "LS002";
        if (gives)
            from->second.amount -= amount;
        if (takes)
            to->second.amount += amount;
        return "";
    }
};

batch_item random_move(lockstep::testing::dice &dice, std::size_t rows) {
    const auto from = static_cast<std::uint32_t>(dice.below(rows));
    auto to = static_cast<std::uint32_t>(dice.below(rows - 1));
    if (to >= from)
        ++to;
    return move(from, to, dice.between(1, 40));
}

// A transfer, or an adjustment of one of its rows.
batch_item random_line(lockstep::testing::dice &dice, std::size_t rows) {
    batch_item item = random_move(dice, rows);
    if (dice.percent(30))
        (dice.percent(50) ? item.from : item.to) = no_row;
    return item;
}

TEST(batch, does_what_the_model_does) {
    lockstep::testing::dice dice{lockstep::testing::random_seed()};
    for (int round = 0; round < 300; ++round) {
        const auto count = static_cast<std::size_t>(dice.between(2, 7));
        std::vector<batch_row> rows;
        model plain;
        for (std::uint32_t i = 0; i < count; ++i) {
            if (dice.percent(10)) {
                rows.push_back({std::nullopt, 0});
                continue;
            }
            const std::int64_t amount = dice.between(0, 60);
            const std::int64_t ceiling = dice.between(60, 150);
            const bool frozen = dice.percent(10);
            const int colour = dice.percent(20) ? 1 : 0;
            rows.push_back(row(amount, 0, ceiling, frozen));
            rows.back().state->matched = &colours[static_cast<std::size_t>(colour)];
            plain.accounts[i] = {amount, 0, ceiling, frozen, colour};
        }
        std::vector<batch_item> items;
        std::vector<std::string> expected;
        for (int i = 0; i < 40; ++i) {
            items.push_back(random_line(dice, count));
            expected.push_back(plain.apply(items.back()));
        }
        ASSERT_EQ(run_all(rows, items), expected) << "round " << round;
        for (const auto &[number, account] : plain.accounts)
            ASSERT_EQ(rows[number].state->amount, units(account.amount)) << "round " << round;
    }
}

std::vector<batch_row> rich_rows(std::size_t count) {
    std::vector<batch_row> rows(count, row(1'000'000));
    return rows;
}

TEST(batch, of_credits_ends_the_same_in_any_order) {
    lockstep::testing::dice dice{lockstep::testing::random_seed()};
    for (int round = 0; round < 100; ++round) {
        std::vector<batch_item> items(50);
        for (batch_item &item : items)
            item = random_move(dice, 6);
        std::vector<batch_row> one = rich_rows(6);
        std::vector<batch_row> other = rich_rows(6);
        run_all(one, items);
        std::shuffle(items.begin(), items.end(), dice.engine());
        run_all(other, items);
        ASSERT_EQ(amounts(one), amounts(other));
    }
}

TEST(batch, and_its_reverse_cancel) {
    lockstep::testing::dice dice{lockstep::testing::random_seed()};
    for (int round = 0; round < 100; ++round) {
        std::vector<batch_row> rows{row(50), row(20), row(0), row(90)};
        const auto before = amounts(rows);
        std::vector<batch_item> done;
        for (int i = 0; i < 60; ++i) {
            const batch_item item = random_move(dice, rows.size());
            if (run_all(rows, {item}).front().empty())
                done.push_back(item);
        }
        std::reverse(done.begin(), done.end());
        for (batch_item &item : done)
            std::swap(item.from, item.to);
        for (const std::string &state : run_all(rows, done))
            ASSERT_EQ(state, "");
        ASSERT_EQ(amounts(rows), before);
    }
}

TEST(batch, split_anywhere_says_the_same) {
    lockstep::testing::dice dice{lockstep::testing::random_seed()};
    for (int round = 0; round < 100; ++round) {
        std::vector<batch_item> items(30);
        for (batch_item &item : items)
            item = random_move(dice, 4);
        std::vector<batch_row> joined{row(40), row(40), row(40), row(40)};
        std::vector<batch_row> split = joined;
        const auto states = run_all(joined, items);
        const auto middle = items.begin() + dice.between(0, 30);
        auto parts = run_all(split, {items.begin(), middle});
        const auto rest = run_all(split, {middle, items.end()});
        parts.insert(parts.end(), rest.begin(), rest.end());
        ASSERT_EQ(parts, states);
        ASSERT_EQ(amounts(split), amounts(joined));
    }
}

TEST(batch, numbers_rows_in_the_order_of_their_keys) {
    const std::vector<std::int64_t> keys{7, -3, 7, 100, -3};
    const row_numbers numbers = number_rows(std::span<const std::int64_t>{keys});
    EXPECT_EQ(numbers.of_place, (call_vector<std::uint32_t>{1, 0, 1, 2, 0}));
    ASSERT_EQ(numbers.place_of.size(), 3U);
    EXPECT_EQ(keys[numbers.place_of[0]], -3);
    EXPECT_EQ(keys[numbers.place_of[2]], 100);

    const std::vector<std::string> texts{"b", "a", "b"};
    const row_numbers of_texts = number_rows(
        {1, 0, 2}, [&](std::uint32_t a, std::uint32_t b) { return texts[a] == texts[b]; });
    EXPECT_EQ(of_texts.of_place, (call_vector<std::uint32_t>{1, 0, 1}));
}

uuid_bytes id(std::uint8_t first, std::uint8_t last) {
    uuid_bytes made{};
    made.front() = first;
    made.back() = last;
    return made;
}

TEST(batch, sorts_ids_bytewise_and_knows_repeats) {
    const std::vector<uuid_bytes> ids{id(200, 1), id(1, 9), id(200, 1), id(1, 2), id(200, 0)};
    const auto sorted = sorted_by_id(ids);
    EXPECT_EQ(sorted, (call_vector<std::uint32_t>{3, 1, 4, 0, 2}));
    EXPECT_EQ(first_of_id(ids, sorted), (call_vector<std::uint32_t>{0, 1, 0, 3, 4}));
}

TEST(batch, says_which_item_an_error_is_about) {
    EXPECT_EQ(of_item(sql_error("LS001", "no"), 2).detail(), "Item 3 of the batch.");
    EXPECT_EQ(of_item(sql_error("LS001", "no", "Why."), 0).detail(), "Item 1 of the batch.  Why.");
    EXPECT_EQ(of_item(sql_error("LS001", "no", "", "Do."), 0).hint(), "Do.");
}

} // namespace
