// Texts of sessions that were kept in shared memory, as their readers can be shown them.
#pragma once

#include <string>

namespace lockstep {

// A text that was cut at a number of bytes, perhaps within a character: without the beginning of
// one at its end. One of another database may be in another encoding: then what is not ASCII is
// shown as question marks.
[[nodiscard]] std::string kept_text(const char *text);

} // namespace lockstep
