// The arguments that the procedures which retry have in common.
#pragma once

#include "retry/bound_statement.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace lockstep {

// 22004 where it is null, 54000 where it is longer than any statement should be.
[[nodiscard]] std::string statement_argument(FunctionCallInfo fcinfo, int number);

// 22023 where it is below 1.
[[nodiscard]] int max_attempts_argument(FunctionCallInfo fcinfo, int number);

// An interval; null, or one that never ends, is none. 22023 where it is not longer than nothing.
// `name` names it in messages.
[[nodiscard]] std::optional<std::chrono::microseconds>
length_argument(FunctionCallInfo fcinfo, int number, const char *name);

// `params`, an array of any type; none where it is null.
[[nodiscard]] text_parameters parameters_argument(FunctionCallInfo fcinfo, int number);

} // namespace lockstep
