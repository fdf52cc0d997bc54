// What a callback of client::run works with: one open transaction on one session. Belongs to the
// callback's thread and ends with the callback; keep no reference to it.
#pragma once

#include <lockstep/core/export.hpp>
#include <lockstep/ledger.hpp>
#include <lockstep/parameter.hpp>
#include <lockstep/rows.hpp>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>

namespace lockstep {

namespace detail {
class open_transaction;
}

class LOCKSTEP_EXPORT transaction {
  public:
    // Runs one statement; $1, $2, ... are the arguments, as text. One round trip. Throws
    // statement_error; let it pass. COPY, and statements that end the transaction, have no place
    // here.
    template <class... Arguments>
    rows exec(std::string_view sql, const Arguments &...arguments) {
        return exec_with(sql, std::initializer_list<parameter>{parameter(arguments)...});
    }
    rows exec_with(std::string_view sql, std::span<const parameter> arguments);
    rows exec_with(std::string_view sql, std::initializer_list<parameter> arguments) {
        return exec_with(sql, std::span<const parameter>(arguments.begin(), arguments.size()));
    }

    // Moves an amount as part of this transaction; a refusal is a result, and is kept under the id
    // when the transaction commits. Pass an id made outside of the callback, or the next attempt is
    // another intent. One round trip. Throws statement_error.
    transfer_result transfer(const transfer_request &request);
    adjust_result adjust(const adjust_request &request);
    // The refusal of an atomic batch fails the statement as any error does: let it pass, and the
    // run throws batch_refused.
    batch_result transfer_batch(const batch_request &request, std::span<const transfer_item> items);
    adjust_batch_result adjust_batch(const batch_request &request,
                                     std::span<const adjust_item> items);

    // 1 in the first attempt.
    [[nodiscard]] int attempt() const noexcept;

    // Until the call's deadline.
    [[nodiscard]] std::chrono::microseconds time_left() const;

    // Runs once after the commit is known to have happened, in the calling thread, with no session
    // held; forgotten when this attempt is not the one that commits. The place for mail, messages,
    // counters. Every hook runs; what the first failing one throws passes through the call, which
    // has then been committed nevertheless.
    void after_commit(std::function<void()> hook);

    transaction(const transaction &) = delete;
    transaction &operator=(const transaction &) = delete;

  private:
    friend class detail::open_transaction;
    explicit transaction(detail::open_transaction &state) noexcept : state_(&state) {}
    detail::open_transaction *state_;
};

} // namespace lockstep
