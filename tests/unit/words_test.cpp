// Numbers and other people's words, as parts of lines for people.
#include "core/words.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace {

using lockstep::bytes_text;
using lockstep::count_text;
using lockstep::duration_text;
using lockstep::lines_of;
using lockstep::one_line;

constexpr std::int64_t second = 1'000'000;

TEST(Words, LengthsOfTime) {
    EXPECT_EQ(duration_text(-5), "0 s");
    EXPECT_EQ(duration_text(59 * second + 999'999), "59 s");
    EXPECT_EQ(duration_text(60 * second), "1 min");
    EXPECT_EQ(duration_text(185 * second), "3 min 5 s");
    EXPECT_EQ(duration_text(3600 * second), "1 h");
    EXPECT_EQ(duration_text(7800 * second), "2 h 10 min");
    EXPECT_EQ(duration_text(86400 * second), "1 d");
    EXPECT_EQ(duration_text((4 * 86400 + 3 * 3600 + 59) * second), "4 d 3 h");
}

TEST(Words, CountsAreGrouped) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(-1234567), "-1,234,567");
    EXPECT_EQ(count_text(123456), "123,456");
}

TEST(Words, SizesAreTheServers) {
    EXPECT_EQ(bytes_text(0), "0 bytes");
    EXPECT_EQ(bytes_text(10239), "10239 bytes");
    EXPECT_EQ(bytes_text(10240), "10 kB");
    EXPECT_EQ(bytes_text(798904), "780 kB");
    EXPECT_EQ(bytes_text(std::int64_t{16} << 40), "16 TB");
}

TEST(Words, StayOnOneLine) {
    EXPECT_EQ(one_line("a\nb\tc\x7f"), "a b c ");
    EXPECT_EQ(one_line("caf\xc3\xa9"), "caf\xc3\xa9");
}

TEST(Words, PagesHaveLines) {
    using lines = std::vector<std::string_view>;
    EXPECT_EQ(lines_of(""), lines{});
    EXPECT_EQ(lines_of("\n"), lines{""});
    EXPECT_EQ(lines_of("a"), lines{"a"});
    EXPECT_EQ(lines_of("a\n"), lines{"a"});
    EXPECT_EQ(lines_of("a\n\n b\n"), (lines{"a", "", " b"}));
    EXPECT_EQ(lines_of("\na\n\n"), (lines{"", "a", ""}));
}

} // namespace
