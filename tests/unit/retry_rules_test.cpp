// The table of verdicts: what each code means, the gate of the commit, and that no code of the
// server is without an answer.

#include "core/counted_states.hpp"
#include "core/retry_rules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using lockstep::backoff_kind;
using lockstep::judge_failure;
using lockstep::retry_rule_for;
using lockstep::retry_rules;
using lockstep::retry_verdict;

retry_verdict verdict_of(std::string_view sqlstate) {
    return retry_rule_for(sqlstate).verdict;
}

TEST(retry_rules, conflicts_run_again_on_the_same_session) {
    for (const auto *code : {"40000", "40001", "40P01", "72000"}) {
        EXPECT_EQ(verdict_of(code), retry_verdict::same_session) << code;
        EXPECT_EQ(retry_rule_for(code).backoff, backoff_kind::conflict) << code;
        EXPECT_EQ(retry_rule_for(code).at_most, 0) << code;
    }
}

TEST(retry_rules, what_the_server_retries_and_the_class_of_conflicts_are_counted) {
    for (const auto &rule : retry_rules()) {
        const bool counts =
            rule.sqlstate.size() == 5 &&
            (rule.verdict == retry_verdict::same_session || rule.sqlstate.starts_with("40"));
        EXPECT_TRUE(!counts || std::binary_search(lockstep::counted_states.begin(),
                                                  lockstep::counted_states.end(), rule.sqlstate))
            << rule.sqlstate;
    }
}

TEST(retry_rules, a_lost_session_is_replaced) {
    for (const auto *code : {"", "08000", "08001", "08003", "08004", "08006", "57P01", "57P02"}) {
        EXPECT_EQ(verdict_of(code), retry_verdict::new_session) << code;
        EXPECT_EQ(retry_rule_for(code).backoff, backoff_kind::reconnect) << code;
    }
}

TEST(retry_rules, a_full_or_starting_server_is_given_more_time) {
    for (const auto *code : {"53000", "53200", "53300", "53400", "57P03"})
        EXPECT_EQ(retry_rule_for(code).backoff, backoff_kind::capacity) << code;
    EXPECT_EQ(retry_rule_for("53200").at_most, 1);
}

TEST(retry_rules, what_people_asked_for_or_must_mend_is_never_repeated) {
    for (const auto *code :
         {"55P03", "57014", "23505", "23P01", "40002", "53100", "57P04", "25P02", "08P01", "3D000",
          "28000", "28P01", "22003", "42601", "LS001", "LS010", "P0001", "XX000", "XX001", "58030"})
        EXPECT_EQ(verdict_of(code), retry_verdict::never) << code;
}

TEST(retry_rules, a_read_only_server_is_left_for_another) {
    EXPECT_EQ(verdict_of("25006"), retry_verdict::elsewhere);
}

TEST(retry_rules, a_class_speaks_for_codes_without_a_line_and_says_never) {
    EXPECT_EQ(verdict_of("08999"), retry_verdict::never);
    EXPECT_EQ(verdict_of("40999"), retry_verdict::never);
    EXPECT_EQ(retry_rule_for("22012").sqlstate, "22");
}

TEST(retry_rules, what_is_not_a_known_code_is_never_repeated) {
    for (const auto *text : {"ZZ999", "4", "40", "4000", "400011", "40001 ", "40p01", "     "})
        EXPECT_EQ(verdict_of(text), retry_verdict::never) << text;
    EXPECT_EQ(verdict_of(std::string_view("\0\0\0\0\0", 5)), retry_verdict::never);
}

TEST(retry_rules, every_line_finds_itself_and_says_why) {
    std::set<std::string_view> seen;
    for (const auto &rule : retry_rules()) {
        EXPECT_TRUE(seen.insert(rule.sqlstate).second) << rule.sqlstate;
        EXPECT_FALSE(rule.note.empty()) << rule.sqlstate;
        const bool is_class = rule.sqlstate.size() == 2;
        const std::string code = std::string(rule.sqlstate) + (is_class ? "ZZZ" : "");
        EXPECT_EQ(retry_rule_for(code).note, rule.note) << code;
        if (rule.verdict == retry_verdict::never) {
            EXPECT_EQ(rule.backoff, backoff_kind::none) << rule.sqlstate;
        }
    }
}

// Before COMMIT was sent nothing can have happened; afterwards only an answer of a living session
// proves that nothing did.
TEST(commit_gate, a_closed_session_is_in_doubt_only_after_commit_was_sent) {
    for (const auto *code : {"", "57P01", "57P02", "08006", "40001", "XX000", "53200", "57014"}) {
        EXPECT_EQ(judge_failure({code, false, true}).verdict, retry_verdict::in_doubt) << code;
        EXPECT_NE(judge_failure({code, false, false}).verdict, retry_verdict::in_doubt) << code;
    }
    EXPECT_EQ(judge_failure({"57P01", false, false}).verdict, retry_verdict::new_session);
    EXPECT_EQ(judge_failure({"", false, false}).verdict, retry_verdict::new_session);
}

TEST(commit_gate, an_answer_on_an_open_session_is_believed) {
    EXPECT_EQ(judge_failure({"40001", true, true}).verdict, retry_verdict::same_session);
    EXPECT_EQ(judge_failure({"40002", true, true}).verdict, retry_verdict::never);
    EXPECT_EQ(judge_failure({"23503", true, true}).verdict, retry_verdict::never);
}

TEST(commit_gate, the_codes_that_say_unknown_are_in_doubt_on_an_open_session_too) {
    for (const auto *code : {"40003", "08007"})
        for (const bool commit_sent : {false, true})
            EXPECT_EQ(judge_failure({code, true, commit_sent}).verdict, retry_verdict::in_doubt);
}

TEST(commit_gate, a_closed_session_is_never_used_again) {
    for (const auto &rule : retry_rules())
        EXPECT_NE(judge_failure({rule.sqlstate, false, false}).verdict, retry_verdict::same_session)
            << rule.sqlstate;
}

TEST(commit_gate, no_code_on_an_open_session_is_a_bug_of_the_client) {
    EXPECT_EQ(judge_failure({"", true, false}).verdict, retry_verdict::never);
    EXPECT_EQ(judge_failure({"", true, true}).verdict, retry_verdict::never);
}

std::vector<std::filesystem::path> errcodes_files() {
    std::vector<std::filesystem::path> found;
    const std::filesystem::path root{"/usr/share/postgresql"};
    if (std::filesystem::is_directory(root))
        for (const auto &version : std::filesystem::directory_iterator(root))
            if (auto file = version.path() / "errcodes.txt"; std::filesystem::exists(file))
                found.push_back(file);
    std::sort(found.begin(), found.end());
    return found;
}

// Every code of the servers at hand is named by a line, its own or its class's, so that a class
// that a later server adds is noticed; and what is not an error is never repeated.
TEST(retry_rules, every_code_of_the_server_was_thought_of) {
    const auto files = errcodes_files();
    if (files.empty())
        GTEST_SKIP() << "no errcodes.txt below /usr/share/postgresql";
    for (const auto &file : files) {
        std::ifstream input{file};
        int codes = 0;
        for (std::string line; std::getline(input, line);) {
            std::istringstream words{line};
            std::string code, severity;
            if (!(words >> code >> severity) || code.size() != 5 || code == "Section:" ||
                (severity != "E" && severity != "W" && severity != "S"))
                continue;
            ++codes;
            const auto &rule = retry_rule_for(code);
            EXPECT_FALSE(rule.sqlstate.empty()) << code << " of " << file << " has no line";
            if (severity != "E") {
                EXPECT_EQ(rule.verdict, retry_verdict::never) << code << " is not an error";
            }
        }
        EXPECT_GT(codes, 200) << file << " was not read";
    }
}

TEST(retry_rules, words_are_those_of_the_contract) {
    EXPECT_EQ(to_string(retry_verdict::same_session), "same_session");
    EXPECT_EQ(to_string(retry_verdict::new_session), "new_session");
    EXPECT_EQ(to_string(retry_verdict::elsewhere), "elsewhere");
    EXPECT_EQ(to_string(retry_verdict::in_doubt), "in_doubt");
    EXPECT_EQ(to_string(retry_verdict::never), "never");
    EXPECT_EQ(to_string(backoff_kind::none), "none");
    EXPECT_EQ(to_string(backoff_kind::conflict), "conflict");
    EXPECT_EQ(to_string(backoff_kind::reconnect), "reconnect");
    EXPECT_EQ(to_string(backoff_kind::capacity), "capacity");
}

} // namespace
