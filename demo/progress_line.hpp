// How far the demo is, in one line that is as narrow as the terminal.
#pragma once

#include "load.hpp"
#include "options.hpp"

#include <cstddef>
#include <string>

namespace lockstep::demo {

struct line_parts {
    std::string margin;
    std::string done; // these two are the bar
    std::string left;
    std::string text;
};

std::string progress_text(const options &wanted, const progress &now);

// Always less than the columns: a terminal that has to break the line does not redraw it. The bar
// gives way first.
line_parts progress_line(const options &wanted, const progress &now, std::size_t columns,
                         bool wide_characters);

} // namespace lockstep::demo
