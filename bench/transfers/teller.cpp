#include "transfers/teller.hpp"

#include "transfers/encode.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

namespace lockstep::bench {
namespace {

constexpr auto *begin = "bench begin";
constexpr auto *lock = "bench lock";
constexpr auto *write = "bench write";
constexpr auto *keep = "bench keep";
constexpr auto *commit = "bench commit";
constexpr auto *call = "bench call";

void prepare_client_transaction(session &link) {
    const auto ledger = table_of(way::client_transaction);
    link.prepare(begin, "BEGIN");
    link.prepare(lock, fmt::format("SELECT id, balance FROM {} WHERE id IN ($1::bigint, $2::bigint)"
                                   " ORDER BY id FOR UPDATE",
                                   ledger));
    link.prepare(write, fmt::format("UPDATE {} SET balance = CASE id WHEN $1::bigint"
                                    " THEN $3::bigint ELSE $4::bigint END"
                                    " WHERE id IN ($1::bigint, $2::bigint)",
                                    ledger));
    link.prepare(keep,
                 fmt::format("INSERT INTO {} (request_id, booked_at, from_key, to_key, amount,"
                             " from_balance, to_balance) VALUES ($1::uuid, clock_timestamp(),"
                             " $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint)",
                             journal_of(way::client_transaction)));
    link.prepare(commit, "COMMIT");
}

// Parameters: of a single call the id, both keys and the amount; of a batch four arrays.
std::string statement_of(way how) {
    switch (how) {
    case way::client_transaction: return "";
    case way::plpgsql_call:
        return "SELECT status, from_after, to_after"
               " FROM plpgsql_transfer($1::uuid, $2::bigint, $3::bigint, $4::bigint)";
    case way::savepoint_batch:
        return "SELECT * FROM savepoint_batch($1::uuid[], $2::bigint[], $3::bigint[],"
               " $4::bigint[], $5::boolean)";
    case way::netted_batch:
        return "SELECT netted_batch($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])";
    case way::floor_batch:
        return "SELECT floor_batch($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])";
    case way::running_batch:
        return "SELECT * FROM running_batch($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])";
    case way::lockstep_transfer:
        return fmt::format("SELECT status, from_balance, to_balance FROM lockstep.transfer('{}',"
                           " $2::bigint, $3::bigint, $4::numeric, $1::uuid)",
                           table_of(how));
    case way::lockstep_submit:
        return fmt::format("CALL lockstep.submit('{}', $2::bigint, $3::bigint, $4::numeric,"
                           " $1::uuid)",
                           table_of(how));
    case way::lockstep_batch:
        return fmt::format("SELECT * FROM lockstep.transfer_batch('{}', $2::bigint[],"
                           " $3::bigint[], $4::numeric[], $1::uuid[])",
                           table_of(how));
    }
    return "";
}

std::int64_t bigint_at(const rows &answer, int row, int column) {
    std::uint64_t number = 0;
    for (int i = 0; i < 8; ++i)
        number = number << 8 | static_cast<std::uint8_t>(answer.text(row, column)[i]);
    return static_cast<std::int64_t>(number);
}

std::int64_t bigint_in(const value &from) {
    std::uint64_t number = 0;
    for (const auto byte : from.bytes)
        number = number << 8 | static_cast<std::uint8_t>(byte);
    return static_cast<std::int64_t>(number);
}

// Which column of the answers says "applied".
int status_column(way how) {
    return is_batch(how) ? 2 : 0;
}

} // namespace

teller::teller(session &link, way how, bool flush, bool among_others)
    : link_(link), how_(how), among_others_(among_others) {
    link_.run("DEALLOCATE ALL");
    link_.run(fmt::format("SET synchronous_commit = {}", flush ? "on" : "off"));
    if (how == way::client_transaction)
        prepare_client_transaction(link_);
    else
        link_.prepare(call, statement_of(how));
}

teller::order teller::order_for(std::span<const wish> wishes) const {
    const auto numeric = is_ours(how_);
    if (!is_batch(how_)) {
        const auto &only = wishes.front();
        return {uuid_of(only.id), bigint_of(only.from), bigint_of(only.to),
                numeric ? numeric_of(only.amount) : bigint_of(only.amount)};
    }
    order result{array_of(field::id, wishes), array_of(field::from, wishes),
                 array_of(field::to, wishes),
                 array_of(numeric ? field::amount_as_numeric : field::amount, wishes)};
    if (how_ == way::savepoint_batch)
        result.push_back({among_others_ ? "t" : "f", false});
    return result;
}

void teller::book(const order &what, std::size_t items) {
    if (how_ == way::client_transaction) {
        book_by_client(what);
        return;
    }
    const auto answer = link_.run_prepared(call, what, true);
    if (how_ == way::netted_batch || how_ == way::floor_batch) {
        if (bigint_at(answer, 0, 0) != static_cast<std::int64_t>(items))
            throw std::runtime_error(key_of(how_) + ": not every item was booked");
        return;
    }
    if (answer.count() != static_cast<int>(items))
        throw std::runtime_error(
            fmt::format("{}: {} items, {} answers", key_of(how_), items, answer.count()));
    for (int i = 0; i < answer.count(); ++i)
        if (const std::string_view status = answer.text(i, status_column(how_));
            status != "applied")
            throw std::runtime_error(fmt::format("{}: item {} is {}", key_of(how_), i + 1, status));
}

// Five round trips: the client has to know the balances before it can go on.
void teller::book_by_client(const order &what) {
    const auto &[id, from, to, amount] = std::tie(what.at(0), what.at(1), what.at(2), what.at(3));
    link_.run_prepared(begin, {});
    const auto locked = link_.run_prepared(lock, std::vector{from, to}, true);
    if (locked.count() != 2)
        throw std::runtime_error("client_transaction: row not found");
    const auto giving = bigint_at(locked, 0, 0) == bigint_in(from) ? 0 : 1;
    const auto from_after = bigint_at(locked, giving, 1) - bigint_in(amount);
    const auto to_after = bigint_at(locked, 1 - giving, 1) + bigint_in(amount);
    if (from_after < 0)
        throw std::runtime_error("client_transaction: insufficient funds");
    link_.run_prepared(write, std::vector{from, to, bigint_of(from_after), bigint_of(to_after)});
    link_.run_prepared(
        keep, std::vector{id, from, to, amount, bigint_of(from_after), bigint_of(to_after)});
    link_.run_prepared(commit, {});
}

} // namespace lockstep::bench
