// An error that pg_call has turned into a pg_error, while it is still on the server's own stack:
// for code that ends the whole transaction for its sake and goes on after that. Nothing else may go
// on.
#pragma once

#include "pg/boundary.hpp"

#include "core/sql_error.hpp"

#include <string>

namespace lockstep {

struct caught_error {
    int code; // the state, packed as the server does
    char sqlstate[6];
    std::string message;
    std::string detail;
};

// What the error says. It stays where it is: a pg_error thrown again still means it.
[[nodiscard]] caught_error look_at_error();

// Takes it off the stack: the transaction must end now.
void forget_error();

// Throws it on, with one more line of CONTEXT.
[[noreturn]] void throw_on(const std::string &context);

// The same of one of ours, which is no error of the server's yet.
[[noreturn]] void throw_on(const sql_error &error, const std::string &context);

} // namespace lockstep
