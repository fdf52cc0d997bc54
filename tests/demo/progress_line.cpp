// The line of the demo that moves: narrower than every terminal, with all of its numbers where they
// have room.
#include "progress_line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lockstep::demo {
namespace {

std::string joined(const line_parts &line) {
    return line.margin + line.done + line.left + line.text;
}

progress at(double seconds, std::uint64_t transfers, std::uint64_t killed) {
    progress now{};
    now.elapsed = std::chrono::duration<double>(seconds);
    now.transfers = transfers;
    now.killed = killed;
    return now;
}

const progress moments[] = {at(0, 0, 0), at(7.5, 18'981, 60), at(15, 123'456'789, 123'456),
                            at(4000, 9'999'999'999, 9'999'999)};

TEST(ProgressLine, IsNarrowerThanTheTerminal) {
    options wanted;
    for (const auto seconds : {1, 15, 3600}) {
        wanted.duration = std::chrono::seconds(seconds);
        for (const auto &now : moments)
            for (std::size_t columns = 1; columns < 200; ++columns)
                ASSERT_LT(joined(progress_line(wanted, now, columns, false)).size(), columns);
    }
}

TEST(ProgressLine, HasABarAndAllNumbersAtEightyColumns) {
    const options wanted;
    const auto now = at(7.5, 18'981, 60);
    const auto line = progress_line(wanted, now, 80, false);
    EXPECT_GE(line.done.size() + line.left.size(), 5U);
    EXPECT_EQ(line.text, " " + progress_text(wanted, now));
    EXPECT_EQ(line.done.size(), (line.done.size() + line.left.size()) / 2);
}

TEST(ProgressLine, IsCutWhereTheTerminalIsNarrower) {
    const options wanted;
    const auto now = at(7.5, 18'981, 60);
    const auto line = progress_line(wanted, now, 30, true);
    EXPECT_EQ(line.done + line.left, "");
    EXPECT_EQ(joined(line), ("  " + progress_text(wanted, now)).substr(0, 29));
}

TEST(ProgressLine, HasAWholeBarWhereThereIsRoom) {
    const options wanted;
    const auto line = progress_line(wanted, at(15, 1, 0), 200, false);
    EXPECT_EQ(line.done, std::string(20, '#'));
    EXPECT_EQ(line.left, "");
}

} // namespace
} // namespace lockstep::demo
