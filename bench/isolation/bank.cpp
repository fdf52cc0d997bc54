#include "isolation/bank.hpp"

#include <fmt/format.h>

namespace lockstep::bench {
namespace {

constexpr std::int64_t all_rows = 100'000;
constexpr std::int64_t opening_balance = 1'000'000'000;

// A table that is read as a whole, as a small one is, would be locked as a whole by SERIALIZABLE.
constexpr auto *table = R"(
CREATE TABLE {0}_account (id bigint PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50);
INSERT INTO {0}_account SELECT id, {1} FROM generate_series(1, {2}) AS id;
)";

constexpr auto *journal = R"(
CREATE TABLE {0}_journal (request_id uuid PRIMARY KEY, booked_at timestamptz NOT NULL,
    from_key bigint NOT NULL, to_key bigint NOT NULL, amount bigint NOT NULL,
    from_balance bigint NOT NULL, to_balance bigint NOT NULL);
)";

// Where {0} holds, the row that gives is written first.
constexpr auto *both_rows = R"(
    IF {0} THEN
        UPDATE {1}_account SET balance = balance - p_amount
         WHERE id = p_from AND balance >= p_amount RETURNING balance INTO from_after;
        UPDATE {1}_account SET balance = balance + p_amount
         WHERE id = p_to RETURNING balance INTO to_after;
    ELSE
        UPDATE {1}_account SET balance = balance + p_amount
         WHERE id = p_to RETURNING balance INTO to_after;
        UPDATE {1}_account SET balance = balance - p_amount
         WHERE id = p_from AND balance >= p_amount RETURNING balance INTO from_after;
    END IF;)";

constexpr auto *function = R"(
CREATE FUNCTION {0}_transfer(p_from bigint, p_to bigint, p_amount bigint, p_id uuid)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    from_after bigint;
    to_after bigint;
BEGIN{1}
    IF from_after IS NULL OR to_after IS NULL THEN
        RAISE check_violation USING MESSAGE = 'insufficient funds, or no such row';
    END IF;
    INSERT INTO {0}_journal
    VALUES (p_id, clock_timestamp(), p_from, p_to, p_amount, from_after, to_after);
    RETURN from_after;
END $$;
)";

std::string uuid_of(std::mt19937_64 &random) {
    const auto first = random();
    const auto second = random();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", first >> 32U,
                       (first >> 16U) & 0xffffU, first & 0xfffU,
                       0x8000U | ((second >> 48U) & 0x3fffU), second & 0xffffffffffffU);
}

} // namespace

bank::bank(session &admin, int rows) : admin_(admin), rows_(rows) {
    admin_.run("CREATE EXTENSION IF NOT EXISTS lockstep");
    for (const auto how : all_manners()) {
        const auto name = key_of(how);
        admin_.run(fmt::format(fmt::runtime(table), name, opening_balance, all_rows));
        if (how == manner::lockstep) {
            admin_.run(fmt::format("SELECT lockstep.register_ledger('{}_account')", name));
        } else {
            const auto *const first = how == manner::ordered ? "p_from < p_to" : "true";
            admin_.run(fmt::format(fmt::runtime(journal), name));
            admin_.run(fmt::format(fmt::runtime(function), name,
                                   fmt::format(fmt::runtime(both_rows), first, name)));
        }
        admin_.run(fmt::format("VACUUM ANALYZE {}_account", name));
    }
}

std::string bank::statement_of(manner how) {
    const auto name = key_of(how);
    if (how == manner::lockstep)
        return fmt::format("SELECT from_balance FROM lockstep.transfer('{}_account', $1::bigint,"
                           " $2::bigint, $3::bigint, $4::uuid)",
                           name);
    return fmt::format("SELECT {}_transfer($1, $2, $3, $4)", name);
}

errand bank::draw(std::mt19937_64 &random) const {
    using whole = std::uniform_int_distribution<std::int64_t>;
    const auto apart = all_rows / rows_;
    const auto from = whole(0, rows_ - 1)(random);
    const auto other = whole(0, rows_ - 2)(random);
    const auto to = other < from ? other : other + 1;
    return {1 + from * apart, 1 + to * apart, whole(1, 100)(random), uuid_of(random)};
}

acknowledged bank::booked(manner how) {
    const auto journal_of = key_of(how) + (how == manner::lockstep ? "_account" : "") + "_journal";
    const auto answer = admin_.run("SELECT count(*), coalesce(sum(amount), 0) FROM " + journal_of);
    return {static_cast<std::size_t>(std::stoull(answer.text(0, 0))),
            static_cast<std::int64_t>(answer.number(0, 1))};
}

void bank::reset(manner how) {
    admin_.run(fmt::format("VACUUM {}_account", key_of(how)));
    before_ = booked(how);
}

std::vector<std::string> bank::check(manner how, const acknowledged &by_clients) {
    std::vector<std::string> wrong;
    const auto now = booked(how);
    if (now.commits != before_.commits + by_clients.commits ||
        now.amount != before_.amount + by_clients.amount)
        wrong.push_back(fmt::format("{} transfers of {} were acknowledged, {} of {} are there",
                                    by_clients.commits, by_clients.amount,
                                    now.commits - before_.commits, now.amount - before_.amount));
    const auto sum =
        admin_.run(fmt::format("SELECT sum(balance) - {}::numeric * {} FROM {}_account",
                               opening_balance, all_rows, key_of(how)));
    if (sum.number(0, 0) != 0)
        wrong.push_back(fmt::format("the sum of all balances is off by {}", sum.text(0, 0)));
    return wrong;
}

std::vector<std::string> bank::audit() {
    const auto found = admin_.run(fmt::format(
        "SELECT count(*) FROM lockstep.verify_ledger('{}_account')", key_of(manner::lockstep)));
    if (found.integer(0, 0) == 0)
        return {};
    return {fmt::format("verify_ledger finds {} violations", found.integer(0, 0))};
}

} // namespace lockstep::bench
