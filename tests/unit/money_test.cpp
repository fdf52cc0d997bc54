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

TEST(exact_money, refuses_what_needs_more_than38_digits) {
    EXPECT_FALSE(money::parse("100000000000000000000000000000000000000"));
    EXPECT_FALSE(money::parse("0.000000000000000000000000000000000000001"));
    EXPECT_FALSE(money::parse("9999999999999999999999999999999999999.99"));
    // Zeros that say nothing are let go.
    EXPECT_EQ(amount("99999999999999999999999999999999999999.000").to_string(), largest);
    EXPECT_EQ(amount("0000000000000000000000000000000000000000000001").to_string(), "1");
}

TEST(exact_money, adds_exactly_and_says_where_it_cannot) {
    EXPECT_EQ(amount("0.1").plus(amount("0.2"))->to_string(), "0.3");
    EXPECT_EQ(amount("1.50").plus(amount("0.5"))->to_string(), "2.00");
    EXPECT_EQ(amount("0.05").minus(amount("0.10"))->to_string(), "-0.05");
    EXPECT_EQ(amount("-1").plus(amount("0.01"))->to_string(), "-0.99");
    EXPECT_EQ(amount(largest).plus(amount("-1"))->to_string(),
              "99999999999999999999999999999999999998");
    EXPECT_FALSE(amount(largest).plus(amount("1")));
    EXPECT_FALSE(amount(largest).plus(amount(largest)));
    EXPECT_FALSE(amount(largest).negated().minus(amount("1")));
    EXPECT_FALSE(amount(largest).plus(amount("0.1")));
    // Two halves make a whole that has room again.
    EXPECT_EQ(amount("9999999999999999999999999999999999998.5").plus(amount("0.5"))->to_string(),
              "9999999999999999999999999999999999999.0");
    EXPECT_EQ(amount("0.60000000000000000000000000000000000000")
                  .plus(amount("0.40000000000000000000000000000000000000"))
                  ->to_string(),
              "1.0000000000000000000000000000000000000");
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
    // More decimals than money has: what money can say fits all the same.
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
        const auto whole = 1 + random() % 18;
        for (std::uint64_t i = 0; i < whole; ++i)
            text.push_back(static_cast<char>('0' + random() % 10));
        const auto decimals = random() % 18;
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

} // namespace
