// What a transfer, an adjustment and a batch of either ask for, and what comes of them. Plain
// values.
#pragma once

#include <lockstep/amount.hpp>
#include <lockstep/core/export.hpp>
#include <lockstep/request_id.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

// A row's key as text; the server converts it to the type of the ledger's key column. A key of
// several columns is given in braces, in the order of the key: {7, "cash"}.
class LOCKSTEP_EXPORT ledger_key {
  public:
    template <std::integral Whole>
    requires(!std::same_as<Whole, bool> && !std::same_as<Whole, char>) ledger_key(Whole key)
        : text_(std::to_string(key)) {}
    ledger_key(std::string key) : text_(std::move(key)) {}
    ledger_key(std::string_view key) : text_(key) {}
    ledger_key(const char *key) : text_(key) {}
    // The text of a row, as PostgreSQL reads it. A backslash is told by its byte: not for texts in
    // an encoding where that may be part of another character (SJIS, BIG5, GBK, GB18030).
    template <std::convertible_to<ledger_key> First, std::convertible_to<ledger_key> Second,
              std::convertible_to<ledger_key>... More>
    ledger_key(const First &first, const Second &second, const More &...more)
        : text_(row_text({ledger_key(first), ledger_key(second), ledger_key(more)...})) {}

    [[nodiscard]] const std::string &text() const noexcept { return text_; }

  private:
    static std::string row_text(std::initializer_list<ledger_key> columns);

    std::string text_;
};

// The key of a movement that may have one leg alone: std::nullopt is no row, on purpose. Made of
// what a key is made of.
class optional_key {
  public:
    optional_key(std::nullopt_t) noexcept {}
    template <class... Columns>
    requires(sizeof...(Columns) > 0 && std::constructible_from<ledger_key, const Columns &...>)
        optional_key(const Columns &...columns)
        : key_(std::in_place, columns...) {}

    [[nodiscard]] bool has_value() const noexcept { return key_.has_value(); }
    // Throws std::bad_optional_access where there is none.
    [[nodiscard]] const std::string &text() const { return key_.value().text(); }

  private:
    std::optional<ledger_key> key_;
};

enum class booking {
    applied,  // this call moved the amount
    replayed, // the id had been booked before with the same content: the first outcome, again
    refused,  // a business answer: sqlstate says which; nothing was moved
};

[[nodiscard]] LOCKSTEP_EXPORT std::string_view to_string(booking status) noexcept;

struct transfer_request {
    std::string ledger; // the table, as SQL names it: pgbench_accounts, shop."Stock"
    ledger_key from_key;
    ledger_key to_key;
    lockstep::amount amount;
    // The caller's own id, kept before the call, makes the intent safe even against the caller's
    // own crash. Without one the call makes its own, which is safe against everything else.
    std::optional<lockstep::request_id> id = {};
    std::optional<std::string> memo = {}; // JSON
    std::optional<std::int64_t> expected_from_version = {};
    // Move what is there, up to the amount; the result says how much it was.
    bool at_most = false;
};

struct adjust_request {
    std::string ledger;
    ledger_key key;
    lockstep::amount delta; // positive puts in, negative takes out
    std::optional<lockstep::request_id> id = {};
    std::optional<std::string> memo = {}; // JSON
    std::optional<std::int64_t> expected_version = {};
    // Take out what is there, or put in what there is room for, up to the delta.
    bool at_most = false;
};

// A movement that is committed together with those of others; where one of both keys is
// std::nullopt, an adjustment of the other row.
struct submit_request {
    std::string ledger; // the table, as SQL names it
    optional_key from_key;
    optional_key to_key;
    lockstep::amount amount;
    std::optional<lockstep::request_id> id = {}; // as that of a transfer
    std::optional<std::string> memo = {};        // JSON
    // Move what is there, up to the amount; the result says how much it was.
    bool at_most = false;
};

// One transfer of a batch; where one of both keys is std::nullopt, an adjustment of the other row.
// Items without an id get one from the call, as a transfer does.
struct transfer_item {
    optional_key from_key;
    optional_key to_key;
    lockstep::amount amount;
    std::optional<lockstep::request_id> id = {};
    std::optional<std::string> memo = {}; // JSON
};

// One adjustment of a batch of them.
struct adjust_item {
    ledger_key key;
    lockstep::amount delta; // positive puts in, negative takes out
    std::optional<lockstep::request_id> id = {};
    std::optional<std::string> memo = {}; // JSON
};

// What all items of a batch have in common.
struct batch_request {
    std::string ledger; // the table, as SQL names it
    // All of them or none: the first refusal is thrown as batch_refused, nothing is moved, and the
    // ids stay unused. Else refusals are results, kept under their ids, and the rest goes through.
    bool atomic = true;
};

// What the call had to go through. Where a commit's answer was lost and the same call was sent
// again, was_in_doubt is true and the status is still the outcome of this call: a replay of an id
// that the call itself had made can only be its own first attempt, so it is told as applied. With
// the caller's own id the two cannot be told apart, so it stays replayed; the amount moved exactly
// once either way.
struct call_facts {
    bool was_in_doubt = false;
    int attempts = 0;
    std::chrono::microseconds elapsed{0};
};

using booking_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

struct transfer_result {
    lockstep::request_id id;
    booking status;
    std::string sqlstate; // of the refusal, else empty
    lockstep::amount amount;
    std::optional<lockstep::amount> from_balance; // right after the booking
    std::optional<lockstep::amount> to_balance;
    std::optional<booking_time> booked_at; // the server's clock
    call_facts call;
};

struct submit_result {
    lockstep::request_id id;
    booking status;
    std::string sqlstate; // of the refusal, else empty
    lockstep::amount amount;
    std::optional<lockstep::amount> from_balance; // right after the booking
    std::optional<lockstep::amount> to_balance;
    std::optional<booking_time> booked_at; // the server's clock
    // Movements that the server committed in one go, this one among them: 1 where nobody else
    // wanted its rows, or where lockstep is not in shared_preload_libraries.
    int group_size;
    call_facts call;
};

struct item_result {
    lockstep::request_id id;
    booking status;       // never refused in an atomic batch
    std::string sqlstate; // of the refusal, else empty
    // Right after this item, and before the next one; of a refused one, as they stayed.
    std::optional<lockstep::amount> from_balance;
    std::optional<lockstep::amount> to_balance;
};

struct batch_result {
    std::vector<item_result> items; // as many as were asked for, in that order
    call_facts call;                // of the whole batch
};

struct adjust_item_result {
    lockstep::request_id id;
    booking status;                          // never refused in an atomic batch
    std::string sqlstate;                    // of the refusal, else empty
    std::optional<lockstep::amount> balance; // as those of item_result
};

struct adjust_batch_result {
    std::vector<adjust_item_result> items; // as many as were asked for, in that order
    call_facts call;                       // of the whole batch
};

struct adjust_result {
    lockstep::request_id id;
    booking status;
    std::string sqlstate; // of the refusal, else empty
    lockstep::amount delta;
    std::optional<lockstep::amount> balance; // right after the booking
    std::optional<booking_time> booked_at;   // the server's clock
    call_facts call;
};

} // namespace lockstep
