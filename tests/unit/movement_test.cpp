// What may be moved, and in which order the reasons against it are found.
#include "core/movement.hpp"
#include "core/sql_error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using lockstep::amount_type;
using lockstep::checked_amount;
using lockstep::decide;
using lockstep::leg;
using lockstep::money;
using lockstep::row_state;

money amount(const char *text) {
    return money::parse(text).value();
}

// A row after the movement, with a floor of 0 and a ceiling of 100.
leg row(const char *name, const char *after, bool frozen = false, std::int64_t version = 2) {
    return {[name] { return std::string{"row "} + name + " of ledger \"accounts\""; },
            row_state{amount(after), money{0}, money{100}, version, frozen}};
}

std::string state_of(const leg *from, const leg *to,
                     std::optional<std::int64_t> expected = std::nullopt) {
    const auto no = decide(from, to, amount("10"), expected);
    return no ? no->sqlstate : "applied";
}

std::string state_of_amount(const char *text, const amount_type &type) {
    try {
        return checked_amount(amount(text), type).to_string();
    } catch (const lockstep::sql_error &error) {
        return error.sqlstate();
    }
}

TEST(movement, goes_through_where_nothing_speaks_against_it) {
    const leg from = row("1", "0");
    const leg to = row("2", "100");
    EXPECT_EQ(state_of(&from, &to), "applied");
    EXPECT_EQ(state_of(&from, nullptr), "applied");
    EXPECT_EQ(state_of(nullptr, &to), "applied");
    EXPECT_EQ(state_of(&from, &to, 1), "applied");
}

TEST(movement, finds_each_reason) {
    const leg fine = row("1", "50");
    const leg gone{[] { return "row 2"; }, std::nullopt};
    const leg frozen = row("3", "50", true);
    const leg poor = row("4", "-0.01");
    const leg full = row("5", "100.01");
    EXPECT_EQ(state_of(&gone, &fine), "LS003");
    EXPECT_EQ(state_of(&fine, &gone), "LS003");
    EXPECT_EQ(state_of(&frozen, &fine), "LS004");
    EXPECT_EQ(state_of(&fine, &frozen), "LS004");
    EXPECT_EQ(state_of(&fine, &fine, 7), "LS030");
    EXPECT_EQ(state_of(&poor, &fine), "LS001");
    EXPECT_EQ(state_of(&fine, &full), "LS002");
}

TEST(movement, finds_them_in_the_order_of_the_contract) {
    const leg gone{[] { return "row 1"; }, std::nullopt};
    const leg frozen_poor = row("2", "-1", true);
    const leg poor = row("3", "-1");
    const leg full = row("4", "101");
    EXPECT_EQ(state_of(&frozen_poor, &gone, 7), "LS003");
    EXPECT_EQ(state_of(&frozen_poor, &full, 7), "LS004");
    EXPECT_EQ(state_of(&poor, &full, 7), "LS030");
    EXPECT_EQ(state_of(&poor, &full), "LS001");
}

TEST(movement, holds_bounds_only_in_their_direction) {
    // A row that stands below its floor may still be filled up, one above its ceiling emptied.
    const leg below = row("1", "-5");
    const leg above = row("2", "105");
    EXPECT_EQ(state_of(&above, &below), "applied");
    leg boundless = row("3", "-1000");
    boundless.after->floor.reset();
    EXPECT_EQ(state_of(&boundless, &below), "applied");
}

TEST(movement, says_what_was_there) {
    const leg poor = row("1", "-4.50");
    const auto no = decide(&poor, nullptr, amount("10"), std::nullopt);
    ASSERT_TRUE(no);
    EXPECT_EQ(no->message, "insufficient funds in row 1 of ledger \"accounts\"");
    EXPECT_EQ(no->detail, "The balance is 5.50, the floor is 0, and 10 was to be taken.");
}

TEST(movement, checks_amounts_against_the_column) {
    const amount_type small{amount_type::kind::int16, false, 0, 0};
    EXPECT_EQ(state_of_amount("32767", small), "32767");
    EXPECT_EQ(state_of_amount("1.00", small), "1");
    EXPECT_EQ(state_of_amount("32768", small), "22003");
    EXPECT_EQ(state_of_amount("1.5", small), "LS007");
    EXPECT_EQ(state_of_amount("0", small), "LS007");
    EXPECT_EQ(state_of_amount("-1", small), "LS007");
    const amount_type cents{amount_type::kind::numeric, true, 6, 2};
    EXPECT_EQ(state_of_amount("10", cents), "10.00");
    EXPECT_EQ(state_of_amount("9999.99", cents), "9999.99");
    EXPECT_EQ(state_of_amount("10000", cents), "22003");
    EXPECT_EQ(state_of_amount("0.001", cents), "LS007");
    const amount_type tens{amount_type::kind::numeric, true, 3, -1};
    EXPECT_EQ(state_of_amount("20", tens), "20");
    EXPECT_EQ(state_of_amount("15", tens), "LS007");
    const amount_type any{amount_type::kind::numeric, false, 0, 0};
    EXPECT_EQ(state_of_amount("0.0000000001", any), "0.0000000001");
}

TEST(movement, checks_changes_by_their_size) {
    const amount_type cents{amount_type::kind::numeric, true, 5, 2};
    const auto delta = [&cents](const char *text) -> std::string {
        try {
            return lockstep::checked_delta(amount(text), cents).to_string();
        } catch (const lockstep::sql_error &error) {
            return std::string{error.sqlstate()} + " " + error.what();
        }
    };
    EXPECT_EQ(delta("-1.5"), "-1.50");
    EXPECT_EQ(delta("1.500"), "1.50");
    EXPECT_EQ(delta("0.00"), "LS007 delta must not be zero");
    EXPECT_EQ(delta("-0.001"), "LS007 amount has too many decimals: \"0.001\"");
    EXPECT_EQ(delta("-1000"), "22003 amount is out of range: \"1000\"");
}

} // namespace
