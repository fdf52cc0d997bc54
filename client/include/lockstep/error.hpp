// What a call throws when it has no result to give. Every exception of lockstep has one root that
// tells the SQLSTATE, how far the call had come, how many attempts it made and how long it took. A
// refusal (insufficient funds, a frozen row) is a result, not an exception: see ledger.hpp. Only
// where it undoes what was asked for beside it, in an atomic batch, it is thrown.
//
// clang-format off
//   error                   the root
//    ├ statement_error      inside a callback: one statement failed; the runner decides what follows
//    ├ rejected             the server's final answer; nothing was done
//    │  ├ request_id_reused   the id stands in the journal with another content
//    │  └ batch_refused       an item of an atomic batch was refused, and with it the batch
//    ├ gave_up              worth another try, but deadline or attempts are used up; nothing was done
//    ├ in_doubt             it may have happened, and could not be found out in time
//    ├ poisoned_transaction the callback swallowed an error, or ended the transaction itself
//    ├ pool_timeout         no session came free in time; nothing was done
//    ├ pool_closed          the pool was closed; nothing was done
//    └ nested_run           a call inside another call's callback; nothing was done
// clang-format on
//
// Options that cannot be meant throw std::invalid_argument. What a callback throws itself passes
// through unchanged.
#pragma once

#include <lockstep/core/export.hpp>
#include <lockstep/request_id.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep {

// How far a call had come when it failed.
enum class phase {
    connect, // no session yet
    begin,   // the session is made ready, or BEGIN is under way
    body,    // statements of the transaction
    commit,  // COMMIT, or a statement that commits by itself, was sent
    verify,  // the fate of an earlier commit is being found out
};

[[nodiscard]] LOCKSTEP_EXPORT std::string_view to_string(phase where) noexcept;

// What is known about a failure beside its message. Texts are empty where the server gave none.
struct error_facts {
    std::string sqlstate;
    std::string detail;
    std::string hint;
    std::string constraint;
    lockstep::phase where = lockstep::phase::body;
    int attempts = 0; // times the transaction's body was begun
    std::chrono::microseconds elapsed{0};
};

class LOCKSTEP_EXPORT error : public std::runtime_error {
  public:
    error(const std::string &message, error_facts facts);

    // Five characters, or empty: a lost link has no code, nor have the client's own decisions.
    [[nodiscard]] const std::string &sqlstate() const noexcept { return facts_.sqlstate; }
    [[nodiscard]] const std::string &detail() const noexcept { return facts_.detail; }
    [[nodiscard]] const std::string &hint() const noexcept { return facts_.hint; }
    [[nodiscard]] const std::string &constraint() const noexcept { return facts_.constraint; }
    [[nodiscard]] lockstep::phase phase() const noexcept { return facts_.where; }
    [[nodiscard]] int attempts() const noexcept { return facts_.attempts; }
    [[nodiscard]] std::chrono::microseconds elapsed() const noexcept { return facts_.elapsed; }
    [[nodiscard]] const error_facts &facts() const noexcept { return facts_; }

    // The item of a batch that the server's detail is about, as an index into what was asked for:
    // from 0, where the detail counts from 1. Nothing where it is about no item.
    [[nodiscard]] std::optional<std::size_t> batch_index() const noexcept;

  private:
    error_facts facts_;
};

// Thrown by transaction::exec. Let it leave the callback: the runner rolls back and decides. Caught
// and ignored it poisons the transaction, unless a savepoint was rolled back to.
class LOCKSTEP_EXPORT statement_error : public error {
  public:
    using error::error;
};

class LOCKSTEP_EXPORT rejected : public error {
  public:
    using error::error;
};

class LOCKSTEP_EXPORT request_id_reused : public rejected {
  public:
    using rejected::rejected;
};

// The refusal of one item, with its sqlstate() and its batch_index(). Nothing was moved, and no id
// was used: when things have changed, the same batch may be sent again with the same ids.
class LOCKSTEP_EXPORT batch_refused : public rejected {
  public:
    using rejected::rejected;
};

class LOCKSTEP_EXPORT gave_up : public error {
  public:
    enum class reason { deadline, attempts };

    gave_up(const std::string &message, error_facts facts, reason why);

    [[nodiscard]] reason why() const noexcept { return why_; }

  private:
    reason why_;
};

class LOCKSTEP_EXPORT in_doubt : public error {
  public:
    in_doubt(const std::string &message, error_facts facts, std::vector<request_id> ids);

    // The ids to call again with, now or later, here or in another process: the same keyed call
    // either finds its outcome or books it. Of a batch one an item, in their order; of a transfer
    // or an adjustment one; of a transaction without a key none.
    [[nodiscard]] const std::vector<request_id> &ids() const noexcept { return ids_; }

    // The only one, if there is one.
    [[nodiscard]] std::optional<request_id> id() const noexcept {
        return ids_.size() == 1 ? std::optional(ids_.front()) : std::nullopt;
    }

  private:
    std::vector<request_id> ids_;
};

class LOCKSTEP_EXPORT poisoned_transaction : public error {
  public:
    using error::error;
};

class LOCKSTEP_EXPORT pool_timeout : public error {
  public:
    using error::error;
};

class LOCKSTEP_EXPORT pool_closed : public error {
  public:
    using error::error;
};

class LOCKSTEP_EXPORT nested_run : public error {
  public:
    using error::error;
};

} // namespace lockstep
