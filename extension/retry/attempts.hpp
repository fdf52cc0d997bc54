// Statements as one transaction, run again from its beginning for as long as the table of verdicts
// says that it is worth it.
#pragma once

#include "retry/bound_statement.hpp"
#include "retry/transaction.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace lockstep {

// What the transaction of each attempt does beside the statements.
class attempt_frame {
  public:
    attempt_frame() = default;
    virtual ~attempt_frame() = default;
    attempt_frame(const attempt_frame &) = delete;
    attempt_frame &operator=(const attempt_frame &) = delete;

    // Before them, and before the transaction has a snapshot: the answer in their place, made in
    // `outside`, where they are not to be run.
    virtual std::optional<Datum> begin(MemoryContext outside) = 0;
    // After them: what is answered, made in `outside`. Their rows are json; nothing: they return
    // none.
    virtual Datum finish(std::optional<Datum> rows, MemoryContext outside) = 0;
};

struct retry_request {
    const char *procedure; // that was called, for messages
    std::string sql;
    text_parameters parameters;
    transaction_mode mode;
    int max_attempts; // 1 or more
    // From now on, for everything: attempts and pauses. Nothing: as long as it takes.
    std::optional<std::chrono::microseconds> deadline;
    attempt_frame *frame; // null: nothing but the statements
};

struct retry_outcome {
    int attempts;
    std::optional<std::string> last_error; // "40001: ..." of the last attempt that failed
    std::optional<Datum> rows;             // of the last statement, json, or the frame's answer
};

// Call without a transaction (see leave_transaction_of_call); there is none after it either, where
// it returns. What it returns is in the current memory context. On an error that is not worth a
// retry, or when attempts or time are used up, that error is thrown, and the transaction is the
// server's to end. 57014 when the deadline comes in the middle of an attempt.
[[nodiscard]] retry_outcome run_with_retries(const retry_request &request);

// The procedure that is doing that in this session; null where none is.
[[nodiscard]] const char *retrying_procedure() noexcept;

} // namespace lockstep
