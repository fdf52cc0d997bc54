#include "transfers/bank.hpp"

#include <fmt/format.h>

#include <utility>

namespace lockstep::bench {
namespace {

// Never used up, and never near the end of bigint.
constexpr std::int64_t start_balance = 1'000'000'000'000;
// Files of the log that a checkpoint keeps for reuse, of 16 MB each (min_wal_size): new ones have
// to be filled with zeros first, which would slow whoever writes the most.
constexpr int kept_files = 64;
constexpr std::int64_t due_after = std::int64_t{kept_files} * 16 * 1024 * 1024 / 2;

std::int64_t number_of(const rows &answer) {
    return std::stoll(answer.text(0, 0));
}

} // namespace

bank::bank(session &admin, std::int64_t rows, std::vector<way> ways)
    : admin_(admin), rows_(rows), ways_(std::move(ways)) {
    admin_.run("CREATE EXTENSION IF NOT EXISTS lockstep");
    for (const auto how : ways_)
        make(how);
    for (int i = 0; i < kept_files; ++i)
        admin_.run("SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()");
    checkpoint();
}

void bank::make(way how) {
    const auto ledger = table_of(how);
    admin_.run(fmt::format("CREATE TABLE {} (id bigint PRIMARY KEY, balance bigint NOT NULL)"
                           " WITH (fillfactor = 50)",
                           ledger));
    admin_.run(fmt::format("INSERT INTO {} SELECT id, {} FROM generate_series(1, {}) AS id", ledger,
                           start_balance, rows_));
    if (is_ours(how))
        admin_.run(fmt::format("SELECT lockstep.register_ledger('{}')", ledger));
    else if (how == way::floor_batch)
        admin_.run(fmt::format("CREATE TABLE {} (request_id uuid NOT NULL PRIMARY KEY,"
                               " entry bigint NOT NULL GENERATED ALWAYS AS IDENTITY,"
                               " booked_at timestamptz NOT NULL, from_key bigint, to_key bigint,"
                               " amount numeric NOT NULL, from_balance numeric, to_balance numeric,"
                               " refusal text, memo jsonb)",
                               journal_of(how)));
    else
        admin_.run(fmt::format("CREATE TABLE {} (request_id uuid NOT NULL PRIMARY KEY,"
                               " entry bigint NOT NULL GENERATED ALWAYS AS IDENTITY,"
                               " booked_at timestamptz NOT NULL, from_key bigint NOT NULL,"
                               " to_key bigint NOT NULL, amount bigint NOT NULL,"
                               " from_balance bigint{}, to_balance bigint)",
                               journal_of(how),
                               how == way::running_batch ? " CHECK (from_balance >= 0)" : ""));
    if (const auto functions = functions_of(how); !functions.empty())
        admin_.run(functions);
    admin_.run(fmt::format("VACUUM ANALYZE {}", ledger));
}

// As a replica's worker, because the guard of our journals lets nobody empty them.
void bank::reset(way how) {
    admin_.run("SET session_replication_role = replica");
    admin_.run(fmt::format("TRUNCATE {}", journal_of(how)));
    admin_.run("RESET session_replication_role");
    admin_.run(fmt::format("VACUUM {}", table_of(how)));
}

std::vector<std::string> bank::check(way how, std::size_t booked) {
    std::vector<std::string> wrong;
    const auto sum =
        number_of(admin_.run(fmt::format("SELECT sum(balance) FROM {}", table_of(how))));
    if (sum != start_balance * rows_)
        wrong.push_back(fmt::format("{}: the sum was {}, and is {}", table_of(how),
                                    start_balance * rows_, sum));
    const auto kept =
        number_of(admin_.run(fmt::format("SELECT count(*) FROM {}", journal_of(how))));
    if (kept != static_cast<std::int64_t>(booked))
        wrong.push_back(fmt::format("{}: {} transfers were acknowledged, and {} are there",
                                    journal_of(how), booked, kept));
    if (!is_ours(how))
        return wrong;
    const auto violations = number_of(admin_.run(
        fmt::format("SELECT count(*) FROM lockstep.verify_ledger('{}')", table_of(how))));
    if (violations > 0)
        wrong.push_back(fmt::format("verify_ledger('{}') has {} rows", table_of(how), violations));
    return wrong;
}

void bank::checkpoint() {
    admin_.run("CHECKPOINT");
    for (const auto how : ways_) {
        admin_.run(fmt::format("UPDATE {} SET balance = balance", table_of(how)));
        admin_.run(fmt::format("VACUUM {}", table_of(how)));
    }
    checkpoint_at_ = log_position();
}

void bank::checkpoint_when_due() {
    if (log_position() - checkpoint_at_ > due_after)
        checkpoint();
}

std::int64_t bank::log_position() {
    return number_of(admin_.run("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"));
}

std::int64_t bank::next_xid() {
    return number_of(admin_.run("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"));
}

} // namespace lockstep::bench
