// Runs transactions against a pool, and tries again what is worth trying again. Thread-safe, holds
// no state of its own: make one and share it. The pool must live longer.
#pragma once

#include <lockstep/core/export.hpp>
#include <lockstep/error.hpp>
#include <lockstep/isolation.hpp>
#include <lockstep/ledger.hpp>
#include <lockstep/pool.hpp>
#include <lockstep/retry.hpp>
#include <lockstep/transaction.hpp>

#include <functional>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace lockstep {

struct run_options {
    // SERIALIZABLE needs no thought about what else runs; conflicts are tried again.
    isolation level = isolation::serializable;
    // In a read-only run a lost commit is simply run again.
    access_mode mode = access_mode::read_write;
    retry_policy retry = {};

    // What may be done when the answer of the COMMIT is lost, which leaves open whether the
    // transaction happened. Unless one of these is set, the call throws in_doubt and repeats
    // nothing.
    //
    // idempotent: the body may be applied twice without harm (all it writes is keyed), so run it
    // again.
    bool idempotent = false;
    // verify: called in a transaction of its own, READ COMMITTED, once the lost session has ended:
    // true, the commit happened; false, it did not (the body runs again); nothing, it cannot tell
    // (in_doubt).
    std::function<std::optional<bool>(transaction &)> verify = {};
};

struct call_options {
    // The locks of a transfer are taken in one order and its amounts are read under them, so READ
    // COMMITTED is right for it, and cheapest. The other levels keep their own rules: 40001 is
    // tried again.
    isolation level = isolation::read_committed;
    retry_policy retry = {};
};

class LOCKSTEP_EXPORT client {
  public:
    explicit client(pool &sessions) noexcept;

    // Runs the callback in a transaction and commits it; gives back what the callback returned.
    // Three round trips beside those of the body.
    //
    // The callback may run more than once: it reads everything it needs inside, has no effect
    // outside but through after_commit, and lets errors pass. No session is held during a pause.
    // What the callback throws itself rolls back and passes through unchanged. Throws the errors of
    // error.hpp.
    template <class Callback>
    auto run(const run_options &options, Callback &&callback) const
        -> std::invoke_result_t<Callback &, transaction &> {
        using result = std::invoke_result_t<Callback &, transaction &>;
        static_assert(!std::is_reference_v<result>, "a callback returns a value");
        if constexpr (std::is_void_v<result>) {
            run_transaction(options, [&](transaction &tx) { std::invoke(callback, tx); });
        } else {
            std::optional<result> value;
            run_transaction(options, [&](transaction &tx) {
                value.reset();
                value.emplace(std::invoke(callback, tx));
            });
            return std::move(*value);
        }
    }

    // Moves an amount, exactly once, in a transaction of its own: one round trip. A refusal is a
    // result. A lost answer is found out by sending the same id again, until the deadline; only
    // then in_doubt is thrown, with the id. Throws the errors of error.hpp: rejected for a call
    // that is wrong in itself (not a ledger, same row twice, an invalid amount), request_id_reused
    // for an id that stands with another content.
    [[nodiscard]] transfer_result transfer(const transfer_request &request,
                                           const call_options &options = {}) const;

    // The same with one leg: deposit, withdraw, take or return stock.
    [[nodiscard]] adjust_result adjust(const adjust_request &request,
                                       const call_options &options = {}) const;

    // Moves an amount, exactly once, and leaves it to the server to commit it together with what
    // others submit for the same rows just then, by one of their sessions and with one flush: for
    // rows that many sessions want at the same time. One round trip. Each caller gets his own
    // answer, as from transfer and adjust; refusals, lost answers and errors are theirs too. Only
    // calls with the same deadline are committed together. It is always READ COMMITTED, so there is
    // no level to choose, and it has no place inside a transaction.
    [[nodiscard]] submit_result submit(const submit_request &request,
                                       const retry_policy &retry = {}) const;

    // Moves many amounts, each exactly once, in one transaction of its own: one round trip. The
    // rows are locked once each, in the order that everybody keeps, and the items are applied in
    // theirs: each finds what those before it have left, and an id that comes twice is a replay the
    // second time. Results are in the order of the items; no items, no round trip.
    //
    // A refusal in an atomic batch is thrown as batch_refused: who asked for all or nothing, and
    // got nothing, must not be able to take it for something. Otherwise it is the result of its
    // item. A lost answer is found out as that of a transfer is; in_doubt then has the ids of all
    // items. rejected, as for a transfer, is for the whole batch: nothing was moved; batch_index()
    // says which item it is about, if it is about one. A large batch needs a deadline to its size,
    // and std::invalid_argument is thrown for one that cannot be sent (256 MB of keys, for one).
    [[nodiscard]] batch_result transfer_batch(const batch_request &request,
                                              std::span<const transfer_item> items,
                                              const call_options &options = {}) const;

    // The same with one leg an item: an order takes its lines of stock.
    [[nodiscard]] adjust_batch_result adjust_batch(const batch_request &request,
                                                   std::span<const adjust_item> items,
                                                   const call_options &options = {}) const;

  private:
    void run_transaction(const run_options &options,
                         const std::function<void(transaction &)> &body) const;

    detail::session_pool *sessions_;
};

} // namespace lockstep
