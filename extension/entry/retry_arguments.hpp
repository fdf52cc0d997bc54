// The arguments and answers that CALL lockstep.retry and CALL lockstep.once have in common.
#pragma once

#include "pg/values.hpp"
#include "retry/attempts.hpp"

namespace lockstep {

// Where each is; no frame, and reading and writing as the session is set.
struct retry_argument_numbers {
    int statement, isolation, max_attempts, deadline, params;
};
[[nodiscard]] retry_request retry_arguments(FunctionCallInfo fcinfo, const char *procedure,
                                            const retry_argument_numbers &numbers);

// The work of the CALL, which is left without its transaction before, and has one again after it.
[[nodiscard]] retry_outcome retry_as_call(FunctionCallInfo fcinfo, const retry_request &request);

[[nodiscard]] std::optional<Datum> text_or_null(const std::optional<std::string> &text);

} // namespace lockstep
