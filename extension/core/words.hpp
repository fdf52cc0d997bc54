// Numbers and other people's words, as parts of lines for people.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep {

// A length of time: "12 s", "3 min 5 s", "2 h 10 min", "4 d 3 h".
[[nodiscard]] std::string duration_text(std::int64_t microseconds);

// 1234567 as 1,234,567.
[[nodiscard]] std::string count_text(std::int64_t count);

// Bytes as the server prints sizes: 512 bytes, 780 kB, 146 MB.
[[nodiscard]] std::string bytes_text(std::int64_t bytes);

// Names, identifiers and keys are other people's: a line break in one must not look like a line of
// ours.
[[nodiscard]] std::string one_line(std::string words);

} // namespace lockstep
