// Work as one transaction, done again from its beginning for as long as the table of verdicts says
// that it is worth it.
#pragma once

#include "retry/transaction.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace lockstep {

// What one transaction does.
class retried_work {
  public:
    retried_work() = default;
    retried_work(const retried_work &) = delete;
    retried_work &operator=(const retried_work &) = delete;
    virtual ~retried_work() = default;

    // In an open SPI session of the attempt's transaction; nothing is left of it when it throws.
    virtual void attempt(int number) = 0;
    // The attempt is rolled back, after all that it did.
    virtual void undone() {}
    virtual void committed() {}
};

struct retry_terms {
    const char *procedure; // for messages: lockstep.retry
    transaction_mode mode;
    int max_attempts; // 1 or more
    // From now on, for everything: attempts and pauses. Nothing: as long as it takes.
    std::optional<std::chrono::microseconds> deadline;
    // Whether the call has more to do after it, which a cancel that comes late is to stop.
    bool goes_on;
};

struct retry_outcome {
    int attempts;
    std::optional<std::string> last_error; // "40001: ..." of the last attempt that failed
};

// A CALL that runs transactions of its own, from its first to its last.
class retrying_call {
  public:
    explicit retrying_call(const char *procedure) noexcept;
    ~retrying_call();
    retrying_call(const retrying_call &) = delete;
    retrying_call &operator=(const retrying_call &) = delete;

    // The one that is under way in this session; null where none is.
    [[nodiscard]] static const char *current() noexcept;
};

// Call within a retrying_call and without a transaction (see leave_transaction_of_call); there is
// none after it either, where it returns. On an error that is not worth a retry, or when attempts
// or time are used up, that error is thrown, and the transaction is the server's to end. 57014 when
// the deadline comes in the middle of an attempt.
[[nodiscard]] retry_outcome run_with_retries(const retry_terms &terms, retried_work &work);

} // namespace lockstep
