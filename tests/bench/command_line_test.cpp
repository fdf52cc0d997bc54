// The options that benchmarks share: what is given beside a kind wins, wherever it stands.

#include "common/command_line.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace {

using lockstep::bench::command_line;
using std::chrono::milliseconds;

struct options {
    int rows = 100;
    int repetitions = 5;
    std::vector<int> connections{1, 8};
    milliseconds window{1000};
    std::uint64_t seed = 0;
    std::string output = "here";
};

// What the words say, and the exit status where nothing is to be run.
std::optional<int> read(options &wanted, std::vector<std::string> words) {
    command_line line("Tries the options.");
    line.kind("--quick", "short", [&] {
        wanted.rows = 10;
        wanted.repetitions = 1;
        wanted.connections = {4};
        wanted.window = milliseconds(20);
    });
    line.number("--rows", wanted.rows, 2, 1000, "of the table");
    line.numbers("--connections", wanted.connections, 1, 200, "how many at once");
    line.duration("--window", wanted.window, 600'000, "milliseconds of each measurement");
    line.repetitions(wanted.repetitions);
    line.seed(wanted.seed);
    line.output(wanted.output, "it goes");
    words.insert(words.begin(), "bench");
    std::vector<char *> arguments;
    for (auto &word : words)
        arguments.push_back(word.data());
    return line.read(static_cast<int>(arguments.size()), arguments.data());
}

TEST(command_line, keeps_what_is_not_said) {
    options wanted;
    EXPECT_EQ(read(wanted, {"--seed", "7"}), std::nullopt);
    EXPECT_EQ(wanted.seed, 7U);
    EXPECT_EQ(wanted.rows, 100);
    EXPECT_EQ(wanted.repetitions, 5);
    EXPECT_EQ(wanted.connections, (std::vector{1, 8}));
    EXPECT_EQ(wanted.window, milliseconds(1000));
    EXPECT_EQ(wanted.output, "here");
}

TEST(command_line, takes_numbers_in_place_of_the_usual_ones) {
    options wanted;
    EXPECT_EQ(read(wanted, {"--connections", "3", "2", "--window", "30"}), std::nullopt);
    EXPECT_EQ(wanted.connections, (std::vector{3, 2}));
    EXPECT_EQ(wanted.window, milliseconds(30));
}

TEST(command_line, lets_an_option_win_over_a_kind_before_it_and_behind_it) {
    for (const bool behind : {false, true}) {
        options wanted;
        std::vector<std::string> words{"--rows", "50", "--window", "30", "--connections", "2"};
        words.insert(behind ? words.end() : words.begin(), "--quick");
        EXPECT_EQ(read(wanted, words), std::nullopt);
        EXPECT_EQ(wanted.rows, 50);
        EXPECT_EQ(wanted.window, milliseconds(30));
        EXPECT_EQ(wanted.connections, std::vector{2});
        EXPECT_EQ(wanted.repetitions, 1) << "what the kind alone says";
    }
}

TEST(command_line, says_how_to_end_where_nothing_is_to_be_run) {
    options wanted;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(read(wanted, {"--help"}), 0);
    EXPECT_EQ(read(wanted, {"--nothing"}), 2);
    EXPECT_EQ(read(wanted, {"--rows", "1"}), 2);
    EXPECT_EQ(read(wanted, {"--window", "0"}), 2);
    EXPECT_EQ(read(wanted, {"--repetitions", "many"}), 2);
    const auto help = testing::internal::GetCapturedStdout();
    const auto refused = testing::internal::GetCapturedStderr();
    EXPECT_NE(help.find("Tries the options."), std::string::npos) << help;
    EXPECT_NE(refused.find("--nothing"), std::string::npos) << refused;
}

} // namespace
