// Numbers and other people's words, as parts of lines for people; and the lines of a page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

// A length of time: "12 s", "3 min 5 s", "2 h 10 min", "4 d 3 h".
[[nodiscard]] std::string duration_text(std::int64_t microseconds);

// 1234567 as 1,234,567.
[[nodiscard]] std::string count_text(std::int64_t count);

// Bytes as the server prints sizes: 512 bytes, 780 kB, 146 MB.
[[nodiscard]] std::string bytes_text(std::int64_t bytes);

// A virtual transaction id as pg_locks shows it: 3/17.
[[nodiscard]] std::string vxid_text(std::int32_t slot, std::uint32_t local);

// Names, identifiers and keys are other people's: a line break in one must not look like a line of
// ours.
[[nodiscard]] std::string one_line(std::string words);

// The lines of a page, without their ends, as parts of it. The last one may or may not have an end;
// empty ones within the page count, and an empty page has none.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view page);

} // namespace lockstep
