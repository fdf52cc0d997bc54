// The client's small values: amounts, request ids, parameters, rows. No server.

#include <lockstep/lockstep.hpp>

#include "rows_builder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <stdexcept>
#include <type_traits>

namespace {

using namespace lockstep;

TEST(amount, is_exact_text) {
    EXPECT_EQ(amount(250).text(), "250");
    EXPECT_EQ(amount(std::numeric_limits<std::int64_t>::min()).text(), "-9223372036854775808");
    EXPECT_EQ(amount(std::numeric_limits<std::uint64_t>::max()).text(), "18446744073709551615");
    EXPECT_EQ(amount("12.50").text(), "12.50");
    EXPECT_EQ(amount("-0.05").text(), "-0.05");
    EXPECT_EQ(amount("99999999999999999999999999999999999999").text(),
              "99999999999999999999999999999999999999");
}

TEST(amount, compares_by_value) {
    EXPECT_EQ(amount("1.5"), amount("1.50"));
    EXPECT_LT(amount("9"), amount("10"));
    EXPECT_LT(amount("-2"), amount("-1.99"));
    EXPECT_NE(amount("0.10"), amount("0.1000000000000000001"));
}

TEST(amount, gives_a_whole_number_only_when_it_is_one) {
    EXPECT_EQ(amount("12.00").as_int64(), 12);
    EXPECT_EQ(amount("12.50").as_int64(), std::nullopt);
    EXPECT_EQ(amount("18446744073709551615").as_int64(), std::nullopt);
}

TEST(amount, refuses_what_is_not_a_decimal_number) {
    for (const auto *text : {"", " ", "1e5", "NaN", "Infinity", "1,5", "1 ", "0x10", "--1", "."})
        EXPECT_THROW(amount{std::string_view(text)}, std::invalid_argument) << text;
    EXPECT_THROW(amount{std::string(131'073, '9')}, std::invalid_argument);
    EXPECT_EQ(amount{"999999999999999999999999999999999999999.50"}.text(),
              "999999999999999999999999999999999999999.50");
    static_assert(!std::is_constructible_v<amount, double>);
    static_assert(!std::is_constructible_v<amount, bool>);
}

TEST(request_ids, are_version_7_and_unlike_each_other) {
    std::set<request_id> seen;
    for (int i = 0; i < 10'000; ++i) {
        const auto id = request_id::make();
        EXPECT_EQ(id.bytes()[6] >> 4, 7);
        EXPECT_EQ(id.bytes()[8] >> 6, 2);
        EXPECT_TRUE(seen.insert(id).second);
    }
}

TEST(request_ids, carry_the_time_so_that_they_ascend) {
    const auto ms = [](const request_id &id) {
        std::uint64_t value = 0;
        for (int i = 0; i < 6; ++i)
            value = value << 8 | id.bytes()[static_cast<std::size_t>(i)];
        return std::chrono::milliseconds(value);
    };
    const auto now = [] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::system_clock::now().time_since_epoch());
    };
    const auto before = now();
    const auto id = request_id::make();
    EXPECT_GE(ms(id), before);
    EXPECT_LE(ms(id), now());
}

TEST(request_ids, read_what_they_write) {
    const auto id = request_id::make();
    EXPECT_EQ(request_id::parse(id.to_string()), id);
    const auto known = request_id::parse("018F2A4C-7b00-7ABC-8def-0123456789Ab");
    ASSERT_TRUE(known);
    EXPECT_EQ(known->to_string(), "018f2a4c-7b00-7abc-8def-0123456789ab");
}

TEST(request_ids, refuse_other_texts) {
    for (const auto *text :
         {"", "018f2a4c-7b00-7abc-8def-0123456789a", "018f2a4c-7b00-7abc-8def-0123456789abc",
          "018f2a4c07b00-7abc-8def-0123456789ab", "018f2a4c-7b00-7abc-8def-0123456789ag",
          "018f2a4c-7b00-7abc-8def0-123456789ab", "{018f2a4c7b007abc8def0123456789ab}  "})
        EXPECT_EQ(request_id::parse(text), std::nullopt) << text;
}

TEST(errors, tell_the_item_of_a_batch) {
    const auto index_in = [](std::string detail) {
        error_facts facts;
        facts.detail = std::move(detail);
        return error("refused", facts).batch_index();
    };
    EXPECT_EQ(index_in("Item 1 of the batch."), 0U);
    EXPECT_EQ(index_in("Item 4711 of the batch.  Row 1 has 0."), 4710U);
    for (const auto *other :
         {"", "Item", "Item  1 of the batch.", "Item 0 of the batch.", "Item -1 of the batch.",
          "Item one of the batch.", "Item 1 of the batches.", "In item 1 of the batch.",
          "Item 1x of the batch.", "Item 99999999999999999999 of the batch."})
        EXPECT_EQ(index_in(other), std::nullopt) << other;
}

TEST(errors, in_doubt_have_the_ids_to_ask_with) {
    const std::vector ids{request_id::make(), request_id::make()};
    EXPECT_EQ(in_doubt("", {}, {}).id(), std::nullopt);
    EXPECT_EQ(in_doubt("", {}, {ids[0]}).id(), ids[0]);
    EXPECT_EQ(in_doubt("", {}, ids).id(), std::nullopt);
    EXPECT_EQ(in_doubt("", {}, ids).ids(), ids);
}

TEST(ledger_keys, of_several_columns_are_the_text_of_a_row) {
    const ledger_key one{7};
    EXPECT_EQ(one.text(), "7");
    EXPECT_EQ(ledger_key("(7,cash)").text(), "(7,cash)");
    const ledger_key two{7, "cash"};
    EXPECT_EQ(two.text(), R"t(("7","cash"))t");
    const ledger_key three{std::string("a, \"b\""), std::string_view(R"(c:\)"), ""};
    EXPECT_EQ(three.text(), R"t(("a, ""b""","c:\\",""))t");
    // A column may be a row itself.
    EXPECT_EQ((ledger_key{-1, ledger_key{2, 3}}).text(), R"t(("-1","(""2"",""3"")"))t");
    static_assert(!std::is_constructible_v<ledger_key, int, bool>);
    static_assert(!std::is_constructible_v<ledger_key, int, std::optional<int>>);
}

TEST(parameters, are_text_that_the_server_reads_back) {
    EXPECT_EQ(parameter(42).text(), "42");
    EXPECT_EQ(parameter(true).text(), "true");
    EXPECT_EQ(parameter("it's").text(), "it's");
    EXPECT_EQ(parameter(std::string_view("abc").substr(0, 2)).text(), "ab");
    EXPECT_EQ(parameter(nullptr).text(), std::nullopt);
    EXPECT_EQ(parameter(std::optional<int>{}).text(), std::nullopt);
    EXPECT_EQ(parameter(std::optional<std::string>{"x"}).text(), "x");
    EXPECT_EQ(parameter(amount("1.50")).text(), "1.50");
    EXPECT_EQ(parameter(0.1).text(), "0.1");
    EXPECT_EQ(parameter(-std::numeric_limits<double>::infinity()).text(), "-Infinity");
    EXPECT_EQ(parameter(std::nan("")).text(), "NaN");
}

TEST(parameters, have_no_zero_byte) {
    EXPECT_THROW(parameter(std::string("a\0b", 3)), std::invalid_argument);
}

rows two_rows() {
    rows::builder building;
    building.add_column("id");
    building.add_column("note");
    building.add_cell("-7");
    building.add_null();
    building.add_cell("300");
    building.add_cell("t");
    building.set_count(2);
    building.set_affected(2);
    return building.finish();
}

TEST(result_rows, give_values_by_column_and_name) {
    const auto found = two_rows();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found.columns(), 2U);
    EXPECT_EQ(found[0]["id"].as<int>(), -7);
    EXPECT_TRUE(found[0][1].is_null());
    EXPECT_EQ(found[0]["note"].as_optional<std::string>(), std::nullopt);
    EXPECT_EQ(found[1][0].as<double>(), 300.0);
    EXPECT_EQ(found[1][0].as<amount>(), amount(300));
    EXPECT_TRUE(found[1]["note"].as<bool>());
    std::string ids;
    for (const auto &each : found)
        ids += std::string(each["id"].text()) + ";";
    EXPECT_EQ(ids, "-7;300;");
}

TEST(result_rows, never_cut_a_value_down) {
    const auto found = two_rows();
    EXPECT_THROW((void)found[1][0].as<std::int8_t>(), std::invalid_argument);
    EXPECT_THROW((void)found[0][0].as<unsigned>(), std::invalid_argument);
    EXPECT_THROW((void)found[1]["note"].as<int>(), std::invalid_argument);
    EXPECT_THROW((void)found[0]["id"].as<bool>(), std::invalid_argument);
    EXPECT_THROW((void)found[0]["id"].as<request_id>(), std::invalid_argument);
    EXPECT_THROW((void)found[0]["note"].as<std::string>(), std::invalid_argument);
    EXPECT_THROW((void)found[0]["nothing"], std::out_of_range);
    EXPECT_THROW((void)found[0][2], std::out_of_range);
    EXPECT_THROW((void)found[2], std::out_of_range);
}

TEST(result_rows, outlive_what_they_came_from) {
    auto copy = two_rows();
    const auto moved = std::move(copy);
    EXPECT_EQ(moved[1][0].text(), "300");
}

} // namespace
