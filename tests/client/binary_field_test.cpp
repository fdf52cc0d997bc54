// Values in the server's binary form: what a server sends, and bytes that are none.

#include "server.hpp"

#include "binary_field.hpp"
#include "detail/session_pool.hpp"
#include "rows_builder.hpp"

#include <stdexcept>
#include <string>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;
using detail::amount_in;
using detail::answer_form;
using detail::integer_in;
using detail::session_pool;
using detail::time_in;

struct binary_field_test : server_test {
    static detail::time_point later() { return detail::after(60s); }

    rows sent(const char *name, const char *text, const parameter &value) {
        session_->prepare(name, text, later());
        return session_->execute_prepared(name, std::span(&value, 1), later(), answer_form::binary)
            .data;
    }

    session_pool sessions_{options(1)};
    session_pool::lease session_ = sessions_.acquire(later());
};

rows one_cell(const std::string &bytes) {
    rows::builder building;
    building.add_column("value");
    building.add_cell(bytes);
    building.set_count(1);
    return building.finish();
}

TEST_F(binary_field_test, numerics_read_as_the_server_prints_them) {
    for (const std::string text :
         {"0", "0.00", "1", "-1", "10", "9999", "10000", "10001", "100000000", "-120000.50",
          "12345678901234.000000", "0.5", "0.0001", "-0.00001", "0.000000000000000000000007",
          "1.10", "99999999.99999999", "7000000000000000000000000000000000000000.000000000001"})
        EXPECT_EQ(amount_in(sent("n", "SELECT $1::text::numeric", text)[0][0])->text(), text);
    EXPECT_FALSE(amount_in(sent("n", "SELECT $1::text::numeric", nullptr)[0][0]));
    for (const auto *none : {"NaN", "Infinity"})
        EXPECT_THROW((void)amount_in(sent("n", "SELECT $1::text::numeric", none)[0][0]),
                     std::runtime_error);
}

TEST_F(binary_field_test, times_are_told_from_1970_on) {
    const auto read = [&](const char *text) {
        return time_in(sent("t", "SELECT $1::text::timestamptz", text)[0][0]);
    };
    EXPECT_EQ(read("1970-01-01 00:00:00.000001+00")->time_since_epoch(), 1us);
    EXPECT_EQ(read("1969-12-31 23:59:59+00")->time_since_epoch(), -1s);
    EXPECT_EQ(read("2026-07-28 12:00:00.123456+02")->time_since_epoch(), 1785232800123456us);
    EXPECT_FALSE(time_in(sent("t", "SELECT $1::text::timestamptz", nullptr)[0][0]));
    EXPECT_THROW((void)read("infinity"), std::runtime_error);
}

TEST_F(binary_field_test, integers_have_a_sign) {
    for (const int value : {0, 1, -1, 65536, 2147483647, -2147483647 - 1})
        EXPECT_EQ(integer_in(sent("i", "SELECT $1::text::int", value)[0][0]), value);
}

TEST(binary_field, bytes_that_are_no_such_value_are_told) {
    for (const auto &bytes : {""s, "\0\0\0"s, "\0\0\0\0\0"s}) {
        EXPECT_THROW((void)integer_in(one_cell(bytes)[0][0]), std::runtime_error);
        EXPECT_THROW((void)time_in(one_cell(bytes)[0][0]), std::runtime_error);
        EXPECT_THROW((void)amount_in(one_cell(bytes)[0][0]), std::runtime_error);
    }
    // Groups that are not there, one too many, less than none, no group of four digits.
    for (const auto &bytes :
         {"\0\2\0\0\0\0\0\0\0\1"s, "\0\0\0\0\0\0\0\0\0\1"s, "\xff\xff\0\0\0\0\0\0"s,
          "\0\1\0\0\0\0\0\0\x27\x10"s, "\0\1\0\0\0\0\0\0\xff\xff"s})
        EXPECT_THROW((void)amount_in(one_cell(bytes)[0][0]), std::runtime_error);
}

} // namespace
