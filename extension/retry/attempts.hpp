// Statements as one transaction, run again from its beginning for as long as the table of verdicts
// says that it is worth it.
#pragma once

#include "retry/bound_statement.hpp"
#include "retry/transaction.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace lockstep {

struct retry_request {
    std::string sql;
    text_parameters parameters;
    transaction_mode mode;
    int max_attempts; // 1 or more
    // From now on, for everything: attempts and pauses. Nothing: as long as it takes.
    std::optional<std::chrono::microseconds> deadline;
};

struct retry_outcome {
    int attempts;
    std::optional<std::string> last_error; // "40001: ..." of the last attempt that failed
    std::optional<Datum> rows;             // of the last statement, json
};

// Call without a transaction (see leave_transaction_of_call); there is none after it either, where
// it returns. What it returns is in the current memory context. On an error that is not worth a
// retry, or when attempts or time are used up, that error is thrown, and the transaction is the
// server's to end. 57014 when the deadline comes in the middle of an attempt.
[[nodiscard]] retry_outcome run_with_retries(const retry_request &request);

// Whether that is under way in this session.
[[nodiscard]] bool is_retrying() noexcept;

} // namespace lockstep
