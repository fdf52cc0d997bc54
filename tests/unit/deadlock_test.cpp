// What deadlocks have in common, and what is advised.
#include "core/deadlock/advice.hpp"
#include "core/deadlock/pattern.hpp"

#include "random_seed.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace lockstep::deadlock;

TEST(Pattern, HasNoValues) {
    struct pair_of_texts {
        const char *statement;
        const char *expected;
    };
    for (const auto &[statement, expected] : std::initializer_list<pair_of_texts>{
             {"UPDATE a SET n = n + 1 WHERE id = 7;", "UPDATE a SET n = n + ? WHERE id = ?"},
             {"UPDATE a  SET\n\tn = $1 WHERE id=$22", "UPDATE a SET n = ? WHERE id=?"},
             {"SELECT * FROM t WHERE id IN (1, 2,3)", "SELECT * FROM t WHERE id IN (?)"},
             {"SELECT 'it''s', E'a\\'b', x FROM t", "SELECT ?, x FROM t"},
             {"SELECT 'a\\', x FROM t", "SELECT ?, x FROM t"},
             {"SELECT \xc3\xb6"
              "1 FROM t",
              "SELECT \xc3\xb6"
              "1 FROM t"},
             {"SELECT $$a $ b$$, $tag$ $$ $tag$", "SELECT ?"},
             {"SELECT /* 1 */ a1, \"col 2\" -- 3\nFROM t2", "SELECT a1, \"col 2\" FROM t2"},
             {"SELECT 1.5e-3, .5, 0x1F", "SELECT ?"},
             {"SELECT -1", "SELECT -?"},
             {"", ""},
             {"SELECT 'cut", "SELECT ?"},
             {"SELECT /* cut", "SELECT"},
             {"SELECT \"cut", "SELECT \"cut"},
             {"$", "?"}})
        EXPECT_EQ(without_values(statement), expected) << statement;
}

TEST(Pattern, EndsWhateverItIsGiven) {
    std::mt19937_64 random{lockstep::testing::random_seed()};
    constexpr std::string_view pieces = "'\"$/*-E\\ ab1.,;()\n\xc3";
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        for (std::size_t length = random() % 30; length > 0; --length)
            text += pieces[random() % pieces.size()];
        const std::string plain = without_values(text);
        EXPECT_LE(plain.size(), 2 * text.size()) << text;
        EXPECT_FALSE(plain.ends_with(' ')) << text;
    }
}

TEST(Pattern, IsTheSameFromWhicheverMemberItIsTold) {
    const std::vector<crossing> cycle{{"UPDATE a", "x"}, {"UPDATE b", "y"}, {"UPDATE a", "z"}};
    const std::vector<crossing> turned{cycle[1], cycle[2], cycle[0]};
    const std::vector<crossing> other{cycle[0], cycle[2], cycle[1]};
    EXPECT_EQ(pattern_of(cycle), pattern_of(turned));
    EXPECT_NE(pattern_of(cycle), pattern_of(other));
}

TEST(Pattern, KnowsAnInsert) {
    EXPECT_TRUE(is_insert("  /* x */ Insert INTO t VALUES (1)"));
    EXPECT_FALSE(is_insert("inserted"));
    EXPECT_FALSE(is_insert("INSERT"));
    EXPECT_FALSE(is_insert("UPDATE t SET insert = 1"));
}

std::string advised(member_wait one, member_wait other) {
    return advice_for(std::array{std::move(one), std::move(other)});
}

bool says(const std::string &advice, const char *words) {
    return advice.find(words) != std::string::npos && advice.back() == '.';
}

TEST(DeadlockAdvice, NamesTheOrder) {
    const member_wait row{wanted::row, "a", "(0,1)", "", false};
    const member_wait next{wanted::row, "a", "(0,2)", "", false};
    const member_wait far{wanted::row, "b", "(0,1)", "", false};
    EXPECT_TRUE(says(advised(row, next), "Rows of a were taken in two orders"));
    EXPECT_TRUE(says(advised(far, row), "(a before b)"));
    EXPECT_TRUE(says(advised(row, row), "this row of a"));
    EXPECT_TRUE(says(advice_for(std::array{row, row, next}), "Rows of a were taken in two orders"));
    const member_wait table{wanted::relation, "a", "", "relation a", false};
    const member_wait second{wanted::relation, "b", "", "relation b", false};
    EXPECT_TRUE(says(advised(table, second), "The tables a and b were locked in two orders"));
    EXPECT_TRUE(says(advised(table, table), "strongest mode"));
    EXPECT_TRUE(says(advised(table, next), "whole table"));
    const member_wait key{wanted::transaction, "", "", "transaction 1", true};
    const member_wait shared{wanted::transaction, "", "", "transaction 2", false};
    EXPECT_TRUE(says(advised(key, key), "insert sorted by key"));
    EXPECT_TRUE(says(advised(shared, shared), "FOR NO KEY UPDATE"));
    EXPECT_TRUE(says(advised(key, shared), "FOR NO KEY UPDATE"));
    EXPECT_TRUE(says(advised(row, key), "insert sorted by key"));
    const member_wait number{wanted::advisory, "", "", "advisory lock (1)", false};
    EXPECT_TRUE(says(advised(number, number), "smallest key first"));
    EXPECT_TRUE(says(advised({}, number), "lockstep.retry"));
    EXPECT_EQ(advice_for({}), "");
}

} // namespace
