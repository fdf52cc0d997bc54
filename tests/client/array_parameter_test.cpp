// Arrays as parameters: their bytes, and what a server makes of them.

#include "server.hpp"

#include "array_parameter.hpp"
#include "detail/session_pool.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace lockstep;
using namespace lockstep::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;
using detail::array_of;
using detail::binary_parameter;

using texts = std::vector<std::string_view>;

// Everything that the text form would have to quote, and what it could be mistaken for.
const texts odd_texts{"",          "NULL",     "null",  "\"",    "\\",        "\\\"",
                      "a\"b\\c",   "{",        "}",     "{a,b}", ",",         "a,b",
                      " a ",       "\t\n\r",   "'",     "''",    "it's",      "$1",
                      "ünïcode ✓", "日本語ソ", "\x01~", "\x7f",  "); DROP --"};

TEST(array_parameters, are_the_servers_binary_form) {
    const auto made = array_of(texts{"a", "", "b,"});
    EXPECT_TRUE(binary_parameter::is(made));
    EXPECT_EQ(made.text(), "\0\0\0\1"  // one dimension
                           "\0\0\0\0"  // no NULLs
                           "\0\0\0\31" // text
                           "\0\0\0\3"  // elements
                           "\0\0\0\1"  // the first subscript
                           "\0\0\0\1a"
                           "\0\0\0\0"
                           "\0\0\0\2b,"s);
    const std::vector<request_id> ids{*request_id::parse("01020304-0506-0708-090a-0b0c0d0e0fff")};
    EXPECT_EQ(array_of(ids).text(), "\0\0\0\1\0\0\0\0\0\0\x0b\x86\0\0\0\1\0\0\0\1\0\0\0\20"
                                    "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\xff"s);
    EXPECT_FALSE(binary_parameter::is("{a}"));
}

TEST(array_parameters, have_nulls_where_there_is_no_text) {
    const std::vector<std::optional<std::string_view>> some{"a", std::nullopt};
    EXPECT_EQ(array_of(some).text(), "\0\0\0\1"  // one dimension
                                     "\0\0\0\1"  // NULLs
                                     "\0\0\0\31" // text
                                     "\0\0\0\2"  // elements
                                     "\0\0\0\1"  // the first subscript
                                     "\0\0\0\1a"
                                     "\xff\xff\xff\xff"s);
}

TEST(array_parameters, of_nothing_have_no_dimension) {
    EXPECT_EQ(array_of(texts{}).text(), "\0\0\0\0\0\0\0\0\0\0\0\31"s);
}

TEST(array_parameters, have_no_zero_byte) {
    EXPECT_THROW((void)array_of(texts{"a", "b\0c"sv}), std::invalid_argument);
}

// Nothing of that size is made: the views all look at one megabyte.
TEST(array_parameters, are_refused_where_the_server_would_hang_up) {
    const std::string megabyte(1UL << 20, 'x');
    EXPECT_THROW((void)array_of(texts(1024, megabyte)), std::invalid_argument);
    EXPECT_THROW((void)array_of(texts(256, megabyte)), std::invalid_argument);
}

struct array_parameter_test : server_test {
    static rows ask_for(const pool_options &where, const std::string &sql,
                        const std::vector<parameter> &parameters) {
        detail::session_pool sessions(where);
        const auto later = detail::after(60s);
        const auto mine = sessions.acquire(later);
        auto executed = mine->execute(sql, parameters, later).data;
        mine->prepare("arrays", sql.c_str(), later);
        EXPECT_EQ(mine->execute_prepared("arrays", parameters, later).data[0][0].text(),
                  executed[0][0].text());
        return executed;
    }
};

TEST_F(array_parameter_test, every_text_arrives_as_it_is) {
    const auto found =
        ask_for(options(), "SELECT t FROM unnest($1::text[]) WITH ORDINALITY AS u(t, n) ORDER BY n",
                {array_of(odd_texts)});
    ASSERT_EQ(found.size(), odd_texts.size());
    for (std::size_t i = 0; i < odd_texts.size(); ++i)
        EXPECT_EQ(found[i][0].text(), odd_texts[i]);
}

TEST_F(array_parameter_test, stand_beside_texts_and_nulls) {
    const std::vector<request_id> ids{request_id::make(), request_id::make()};
    const auto found = ask_for(
        options(),
        "SELECT concat_ws('|', $1::int + 1, $2::text IS NULL, ($3::uuid[])[2], ($4::text[])[1])",
        {41, nullptr, array_of(ids), array_of(texts{"x"})});
    EXPECT_EQ(found[0][0].text(), "42|t|" + ids[1].to_string() + "|x");
}

TEST_F(array_parameter_test, of_nothing_are_empty) {
    EXPECT_EQ(ask_for(options(), "SELECT $1::text[] = '{}'", {array_of(texts{})})[0][0].text(),
              "t");
}

// The second byte of this character is the one of a backslash.
TEST_F(array_parameter_test, any_encoding_of_the_session_will_do) {
    auto shift_jis = options();
    shift_jis.conninfo += " client_encoding=SJIS";
    const auto found = ask_for(shift_jis,
                               "SELECT string_agg(encode(convert_to(t, 'UTF8'), 'hex'), ' ')"
                               " FROM unnest($1::text[]) AS t",
                               {array_of(texts{"\x83\x5c", "\x83\x5c\","})});
    EXPECT_EQ(found[0][0].text(), "e382bd e382bd222c");
}

} // namespace
