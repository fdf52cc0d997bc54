#include "activity/kept_text.hpp"

#include "pg/boundary.hpp"

#include <algorithm>
#include <cstring>

namespace lockstep {

std::string kept_text(const char *text) {
    const auto size = static_cast<int>(std::strlen(text));
    bool is_valid = false;
    const int whole = pg_call([=, &is_valid] {
        const int length = pg_mbcliplen(text, size, size);
        is_valid = pg_verifymbstr(text, length, true);
        return length;
    });
    if (is_valid)
        return {text, static_cast<std::size_t>(whole)};
    std::string plain{text, static_cast<std::size_t>(size)};
    std::ranges::replace_if(
        plain, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    return plain;
}

} // namespace lockstep
