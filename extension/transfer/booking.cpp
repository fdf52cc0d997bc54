#include "transfer/booking.hpp"

#include "core/sql_error.hpp"
#include "transfer/batch.hpp"

#include <string>

namespace lockstep {

movement_result book_movement(const ledger &in, const movement_request &request) {
    if (request.expected_version && !in.has(row_column::version))
        throw sql_error(state::invalid_parameter_value,
                        std::string{"ledger \""} + in.name + "\" has no version column", {},
                        "Register it with version_column to expect a version.");
    return book_batch(in, {&request, 1}, false).front();
}

} // namespace lockstep
