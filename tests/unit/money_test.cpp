// Exact amounts without a server; sql/money.sql compares them with the server's numeric.
#include "core/money.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <iostream>
#include <limits>
#include <random>
#include <string>

namespace {

using lockstep::money;

money amount(const char *text) {
    const auto parsed = money::parse(text);
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed.value_or(money{});
}

const char *const largest = "99999999999999999999999999999999999999"; // 38 nines

TEST(exact_money, reads_and_prints) {
    for (const char *text : {"0", "1", "-1", "10.50", "0.05", "-0.05", "0.00", largest,
                             "-0.00000000000000000000000000000000000001"})
        EXPECT_EQ(amount(text).to_string(), text);
    EXPECT_EQ(amount("+7").to_string(), "7");
    EXPECT_EQ(amount("007.0").to_string(), "7.0");
    EXPECT_EQ(amount(".5").to_string(), "0.5");
    EXPECT_EQ(amount("5.").to_string(), "5");
    EXPECT_EQ(amount("-0").to_string(), "0");
    EXPECT_EQ(money{std::numeric_limits<std::int64_t>::min()}.to_string(), "-9223372036854775808");
}

TEST(exact_money, refuses_what_is_none) {
    for (const char *text : {"", "-", "+", ".", "NaN", "Infinity", "-Infinity", "1e5", "1 ", " 1",
                             "1.2.3", "--1", "0x10", "1,5"})
        EXPECT_FALSE(money::parse(text)) << text;
}

TEST(exact_money, reads_what_numeric_holds) {
    for (const std::string &text :
         {std::string{"100000000000000000000000000000000000000"},
          std::string{"0.000000000000000000000000000000000000001"},
          std::string{"-9999999999999999999999999999999999999.99"},
          std::string{
              "115792089237316195423570985008687907853269984665640564039457584007913129639935"},
          "0." + std::string(500, '0'), std::string(131'072, '9'),
          "-0." + std::string(16'382, '0') + "1"})
        EXPECT_EQ(amount(text.c_str()).to_string(), text);
    EXPECT_FALSE(money::parse(std::string(131'073, '9')));
    EXPECT_FALSE(money::parse("0." + std::string(16'384, '0')));
    EXPECT_EQ(amount("99999999999999999999999999999999999999.000").to_string(),
              std::string{largest} + ".000");
    EXPECT_EQ(amount("0000000000000000000000000000000000000000000001").to_string(), "1");
    EXPECT_EQ(amount("-0000000000000000000000000000000000000000.00").to_string(), "0.00");
}

TEST(exact_money, adds_exactly) {
    EXPECT_EQ(amount("0.1").plus(amount("0.2"))->to_string(), "0.3");
    EXPECT_EQ(amount("1.50").plus(amount("0.5"))->to_string(), "2.00");
    EXPECT_EQ(amount("0.05").minus(amount("0.10"))->to_string(), "-0.05");
    EXPECT_EQ(amount("-1").plus(amount("0.01"))->to_string(), "-0.99");
    EXPECT_EQ(amount(largest).plus(amount("-1"))->to_string(),
              "99999999999999999999999999999999999998");
    EXPECT_EQ(amount("9999999999999999999999999999999999998.5").plus(amount("0.5"))->to_string(),
              "9999999999999999999999999999999999999.0");
}

TEST(exact_money, grows_past128_bits_and_comes_back) {
    const money one_more = *amount(largest).plus(amount("1"));
    EXPECT_EQ(one_more.to_string(), "100000000000000000000000000000000000000");
    EXPECT_EQ(*one_more.minus(amount("1")), amount(largest));
    EXPECT_EQ(one_more.minus(one_more)->to_string(), "0");
    EXPECT_TRUE(one_more.minus(one_more)->is_zero());
    EXPECT_EQ(amount(largest).plus(amount("0.1"))->to_string(), std::string{largest} + ".1");
    EXPECT_EQ(amount(largest).negated().minus(amount("1"))->negated(), one_more);
    EXPECT_TRUE(one_more.negated().is_negative());
    EXPECT_FALSE(one_more.is_negative());
    EXPECT_FALSE(one_more.as_int64());
    EXPECT_EQ(one_more.with_scale(2)->to_string(), "100000000000000000000000000000000000000.00");
    EXPECT_EQ(one_more.with_scale(2)->with_scale(-38), one_more);
    EXPECT_FALSE(one_more.with_scale(-39));
    // A copy has a number of its own.
    money copy = one_more;
    copy = *copy.plus(copy);
    EXPECT_EQ(one_more.to_string(), "100000000000000000000000000000000000000");
    EXPECT_EQ(copy.to_string(), "200000000000000000000000000000000000000");
    copy = money{1};
    EXPECT_EQ(copy.to_string(), "1");
    // The end of all: numeric's own.
    const money end = amount(std::string(131'072, '9').c_str());
    EXPECT_FALSE(end.plus(money{1}));
    EXPECT_TRUE(end.plus(money{-1}));
    EXPECT_FALSE(end.with_scale(16'384));
}

TEST(exact_money, is_shown_in_messages) {
    EXPECT_EQ(amount("1.50").shown(), "1.50");
    EXPECT_EQ(amount(("5." + std::string(400, '0')).c_str()).shown(), "5");
    EXPECT_EQ(amount(("-" + std::string(100, '7') + ".5").c_str()).shown(),
              "-" + std::string(100, '7') + ".5");
    EXPECT_EQ(amount(("-" + std::string(200, '7') + ".5").c_str()).shown(),
              "a number of 201 digits");
}

TEST(exact_money, compares_by_amount) {
    EXPECT_EQ(amount("1.5"), amount("1.500"));
    EXPECT_EQ(amount("0.00"), amount("-0"));
    EXPECT_LT(amount("-2"), amount("1.99"));
    EXPECT_LT(amount("-2.01"), amount("-2"));
    EXPECT_GT(amount(largest), amount("0.99999999999999999999999999999999999999"));
}

TEST(exact_money, fits_columns) {
    EXPECT_TRUE(amount("99.99").fits(4, 2));
    EXPECT_FALSE(amount("100").fits(4, 2));
    EXPECT_FALSE(amount("0.001").fits(4, 2));
    EXPECT_TRUE(amount("0.010").fits(4, 2));
    EXPECT_TRUE(amount("9990").fits(3, -1));
    EXPECT_FALSE(amount("15").fits(3, -1));
    EXPECT_FALSE(amount("10000").fits(3, -1));
    EXPECT_TRUE(amount("0.0099").fits(2, 4));
    EXPECT_FALSE(amount("0.01").fits(2, 4));
    EXPECT_TRUE(amount(largest).fits(1000, 500));
    EXPECT_TRUE(amount(largest).fits(78, 40));
    EXPECT_FALSE(amount(largest).fits(77, 40));
    const char *finest = "0.00000000000000000000000000000000000001";
    EXPECT_TRUE(amount(finest).fits(2, 39));
    EXPECT_FALSE(amount(finest).fits(1, 39));
    EXPECT_TRUE(amount(finest).fits(3, 40));
    EXPECT_FALSE(amount(finest).fits(1, 37));
}

TEST(exact_money, is_awhole_number_or_not) {
    EXPECT_EQ(amount("42.00").as_int64(), 42);
    EXPECT_FALSE(amount("42.01").as_int64());
    EXPECT_EQ(amount("9223372036854775807").as_int64(), std::numeric_limits<std::int64_t>::max());
    EXPECT_FALSE(amount("9223372036854775808").as_int64());
    EXPECT_EQ(amount("-9223372036854775808").as_int64(), std::numeric_limits<std::int64_t>::min());
    EXPECT_FALSE(amount("-9223372036854775809").as_int64());
}

// What holds for every amount: text and back, a sum and its way back, the order of a sum.
TEST(exact_money, properties_of_random_amounts) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::cout << "seed " << seed << "\n";
    std::mt19937_64 random{seed};
    const auto any = [&random] {
        std::string text = random() % 2 == 0 ? "-" : "";
        const auto whole = 1 + random() % 50;
        for (std::uint64_t i = 0; i < whole; ++i)
            text.push_back(static_cast<char>('0' + random() % 10));
        const auto decimals = random() % 50;
        if (decimals > 0)
            text.push_back('.');
        for (std::uint64_t i = 0; i < decimals; ++i)
            text.push_back(static_cast<char>('0' + random() % 10));
        return amount(text.c_str());
    };
    for (int i = 0; i < 20000; ++i) {
        const money a = any();
        const money b = any();
        ASSERT_EQ(money::parse(a.to_string()), a) << a.to_string();
        const auto sum = a.plus(b);
        ASSERT_TRUE(sum) << a.to_string() << " + " << b.to_string();
        ASSERT_EQ(sum, b.plus(a));
        ASSERT_EQ(sum->minus(b), a) << a.to_string() << " + " << b.to_string();
        ASSERT_EQ(*sum > a, b > money{}) << a.to_string() << " + " << b.to_string();
        ASSERT_EQ(a.minus(b)->is_negative(), a < b);
        ASSERT_LE(a.least_scale(), a.scale());
        ASSERT_EQ(a.with_scale(a.least_scale()), a);
    }
}

TEST(exact_money, rounds_down_to_whole_units) {
    const auto down = [](const char *text, int scale) {
        const auto rounded = amount(text).rounded_down(scale);
        return rounded ? rounded->to_string() : "none";
    };
    EXPECT_EQ(down("9.999", 2), "9.990");
    EXPECT_EQ(down("-9.991", 2), "-10.000");
    EXPECT_EQ(down("-9.99", 2), "-9.99");
    EXPECT_EQ(down("1.5", 7), "1.5");
    EXPECT_EQ(down("1950", -2), "1900");
    EXPECT_EQ(down("-1950", -2), "-2000");
    EXPECT_EQ(down("0.5", -40), "0.0");
    EXPECT_EQ(down("-0.5", -40), "-10000000000000000000000000000000000000000.0");
    EXPECT_EQ(down("-0.5", -131'072), "none");
    EXPECT_EQ(down("0.00", 0), "0.00");
    EXPECT_EQ(down(("-" + std::string{largest}).c_str(), -1),
              "-100000000000000000000000000000000000000");
    EXPECT_EQ(down("123456789012345678901234567890123456789012345.678", 1),
              "123456789012345678901234567890123456789012345.600");
    EXPECT_EQ(down("-123456789012345678901234567890123456789012345.678", -9),
              "-123456789012345678901234567890123457000000000.000");
    EXPECT_EQ(down("-123456789012345678901234567890123456000000000.000", -9),
              "-123456789012345678901234567890123456000000000.000");
    EXPECT_EQ(down(largest, -1), "99999999999999999999999999999999999990");
}

} // namespace
