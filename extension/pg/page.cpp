#include "pg/page.hpp"

#include "core/words.hpp"
#include "pg/rows.hpp"
#include "pg/values.hpp"

#include <string>

namespace lockstep {

Datum return_page(FunctionCallInfo fcinfo, std::string_view page) {
    row_builder<1> row;
    row.open_set(fcinfo);
    for (const std::string_view line : lines_of(page)) {
        row.add(text_datum(std::string{line}.c_str()));
        row.append(fcinfo);
    }
    PG_RETURN_NULL();
}

} // namespace lockstep
