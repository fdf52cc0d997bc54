// What the bounds of rows let through, against a search for it.
#include "core/at_most.hpp"

#include "random_seed.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace lockstep;

constexpr amount_type whole{amount_type::kind::int64, false, 0, 0};
constexpr amount_type cents{amount_type::kind::numeric, true, 8, 2};
constexpr amount_type hundreds{amount_type::kind::numeric, true, 6, -2};
constexpr amount_type any{amount_type::kind::numeric, false, 0, 0};

const row_names names = [](std::uint32_t number) { return "row " + std::to_string(number); };

money amount(const char *text) {
    return money::parse(text).value();
}

batch_row row(const char *balance, const char *floor, const char *ceiling) {
    row_state state{};
    state.amount = amount(balance);
    if (floor != nullptr)
        state.floor = amount(floor);
    if (ceiling != nullptr)
        state.ceiling = amount(ceiling);
    return {state, 0};
}

// What is moved of it, or why nothing is.
std::string moved(std::vector<batch_row> rows, batch_item item, const amount_type &type) {
    item.amount = amount_within_bounds(rows, item, type);
    item_outcome outcome;
    if (const auto no = apply_item(rows, item, type, names, outcome))
        return no->sqlstate;
    return item.amount.to_string();
}

std::string moved(const batch_row &from, const batch_row &to, const char *wanted,
                  const amount_type &type = whole) {
    return moved({from, to}, {0, 1, amount(wanted), {}}, type);
}

std::string taken(const batch_row &from, const char *wanted, const amount_type &type = whole) {
    return moved({from}, {0, no_row, amount(wanted), {}}, type);
}

TEST(at_most, stops_at_the_first_bound) {
    EXPECT_EQ(moved(row("30", "0", nullptr), row("0", "0", nullptr), "100"), "30");
    EXPECT_EQ(moved(row("30", "5", nullptr), row("0", "0", "20"), "100"), "20");
    EXPECT_EQ(moved(row("30", nullptr, nullptr), row("0", "0", nullptr), "100"), "100");
    EXPECT_EQ(moved(row("30", "0", nullptr), row("0", "0", nullptr), "7"), "7");
    EXPECT_EQ(moved(row("-30", "-50", nullptr), row("0", "0", "7"), "100"), "7");
    // The other bounds are none of its business.
    EXPECT_EQ(moved(row("30", "0", "10"), row("-7", "0", nullptr), "100"), "30");
}

TEST(at_most, is_refused_by_the_bound_that_leaves_nothing) {
    EXPECT_EQ(moved(row("0", "0", nullptr), row("0", "0", nullptr), "1"), "LS001");
    EXPECT_EQ(moved(row("-3", "0", nullptr), row("0", "0", nullptr), "1"), "LS001");
    EXPECT_EQ(moved(row("5", "0", nullptr), row("20", "0", "20"), "100"), "LS002");
    EXPECT_EQ(moved(row("5", "0", nullptr), row("25", "0", "20"), "3"), "LS002");
    EXPECT_EQ(moved(row("0", "0", nullptr), row("20", "0", "20"), "100"), "LS001");
    EXPECT_EQ(taken(row("0", "0", nullptr), "1"), "LS001");
    EXPECT_EQ(moved({row("0", "0", nullptr), {std::nullopt, 0}}, {0, 1, amount("1"), {}}, whole),
              "LS003");
}

TEST(at_most, moves_whole_units_of_the_column) {
    EXPECT_EQ(taken(row("7.50", "2.505", nullptr), "100", cents), "4.99");
    EXPECT_EQ(taken(row("2.51", "2.505", nullptr), "100", cents), "LS001");
    EXPECT_EQ(moved({row("7.50", nullptr, "9.999")}, {no_row, 0, amount("100"), {}}, cents),
              "2.49");
    EXPECT_EQ(taken(row("10", "0.5", nullptr), "100"), "9");
    EXPECT_EQ(taken(row("10", "-0.5", nullptr), "100"), "10");
    EXPECT_EQ(taken(row("1000", "150", nullptr), "1000", hundreds), "800");
    EXPECT_EQ(taken(row("10", "0.00001", nullptr), "100", any), "9.99999");
}

TEST(at_most, knows_room_of_any_number_of_digits) {
    const char *const huge = "90000000000000000000000000000000000000";
    EXPECT_EQ(moved({row("-90000000000000000000000000000000000000", nullptr, huge)},
                    {no_row, 0, amount(huge), {}}, any),
              huge);
    const batch_row fine = row("1000000000000000000000000000000", "0.0000000001", nullptr);
    EXPECT_EQ(taken(fine, "100000000000000000000000000000", any), "100000000000000000000000000000");
    EXPECT_EQ(taken(fine, "2000000000000000000000000000000", any),
              "999999999999999999999999999999.9999999999");
    // A room that no numeric has the digits for is room enough.
    const std::string longest = std::string(131'072, '9');
    EXPECT_EQ(moved({row(("-" + longest).c_str(), nullptr, longest.c_str())},
                    {no_row, 0, amount(longest.c_str()), {}}, any),
              longest);
}

// The most that apply_item() lets through, by trying each amount.
TEST(at_most, is_the_largest_that_goes_through) {
    lockstep::testing::dice dice{lockstep::testing::random_seed()};
    for (int round = 0; round < 2000; ++round) {
        std::vector<batch_row> rows;
        for (int i = 0; i < 2; ++i) {
            row_state state{};
            state.amount = money{dice.between(-10, 30)};
            if (dice.percent(70))
                state.floor = money::of_parts(dice.between(-200, 200), 1);
            if (dice.percent(70))
                state.ceiling = money::of_parts(dice.between(-200, 400), 1);
            rows.push_back({state, 0});
        }
        batch_item item{0, 1, money{dice.between(1, 30)}, {}};
        if (dice.percent(40))
            (dice.percent(50) ? item.from : item.to) = no_row;
        std::string expected = "refused";
        for (std::int64_t units = item.amount.as_int64().value();
             units > 0 && expected == "refused"; --units) {
            std::vector<batch_row> tried = rows;
            batch_item one = item;
            one.amount = money{units};
            item_outcome outcome;
            if (!apply_item(tried, one, whole, names, outcome))
                expected = one.amount.to_string();
        }
        const std::string found = moved(rows, item, whole);
        ASSERT_EQ(found.starts_with("LS") ? "refused" : found, expected) << "round " << round;
    }
}

} // namespace
