#include "retry/jobs.hpp"

#include <fmt/format.h>

#include <array>

namespace lockstep::bench {
namespace {

constexpr int doctors = 16;
constexpr int least_on_call = 8;

// As many accounts as make an index worth its while; one of them is used.
constexpr auto *schema = R"(
CREATE EXTENSION IF NOT EXISTS lockstep;
CREATE TABLE account (id bigint PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE history (account bigint NOT NULL, amount bigint NOT NULL, balance bigint NOT NULL);
CREATE TABLE doctor (id bigint PRIMARY KEY, on_call boolean NOT NULL) WITH (fillfactor = 50);
CREATE TABLE duty (doctor bigint NOT NULL, seen_on_call bigint NOT NULL, was_on_call boolean NOT NULL);
CREATE FUNCTION hot_row(p_account bigint, p_amount bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM balance FROM account WHERE id = p_account;
    UPDATE account SET balance = balance + p_amount WHERE id = p_account;
    INSERT INTO history SELECT id, p_amount, balance FROM account WHERE id = p_account;
END $$;
CREATE FUNCTION write_skew(p_doctor bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM count(*) FROM doctor WHERE on_call;
    INSERT INTO duty SELECT p_doctor, count(*) FILTER (WHERE on_call),
                            bool_or(on_call) FILTER (WHERE id = p_doctor) FROM doctor;
    UPDATE doctor SET on_call = NOT on_call
     WHERE id = p_doctor AND (NOT on_call OR (SELECT count(*) FROM doctor WHERE on_call) > 8);
END $$)";

std::int64_t number_of(const rows &answer, int column = 0) {
    return std::stoll(answer.text(0, column));
}

} // namespace

std::string key_of(job what) {
    return what == job::hot_row ? "hot_row" : "write_skew";
}

std::string label_of(job what) {
    return what == job::hot_row ? "hot row" : "write skew";
}

const std::vector<statement> &statements_of(job what) {
    static const std::vector<statement> hot_row{
        {"SELECT balance FROM account WHERE id = $1::bigint", 1},
        {"UPDATE account SET balance = balance + $2::bigint WHERE id = $1::bigint", 2},
        {"INSERT INTO history SELECT id, $2::bigint, balance FROM account WHERE id = $1::bigint",
         2}};
    static const std::vector<statement> write_skew{
        {"SELECT count(*) FROM doctor WHERE on_call", 0},
        {"INSERT INTO duty SELECT $1::bigint, count(*) FILTER (WHERE on_call),"
         " bool_or(on_call) FILTER (WHERE id = $1::bigint) FROM doctor",
         1},
        {"UPDATE doctor SET on_call = NOT on_call WHERE id = $1::bigint"
         " AND (NOT on_call OR (SELECT count(*) FROM doctor WHERE on_call) > 8)",
         1}};
    return what == job::hot_row ? hot_row : write_skew;
}

std::string function_of(job what) {
    return key_of(what);
}

errand draw(job what, std::mt19937_64 &random) {
    using whole = std::uniform_int_distribution<std::int64_t>;
    if (what == job::write_skew)
        return {{std::to_string(whole(1, doctors)(random))}, 0};
    const auto amount = whole(1, 100)(random);
    return {{"500", std::to_string(amount)}, amount};
}

tables::tables(session &admin) : admin_(admin) {
    admin_.run(schema);
}

void tables::reset(job what) {
    if (what == job::hot_row) {
        admin_.run("TRUNCATE account, history;"
                   " INSERT INTO account SELECT id, 0 FROM generate_series(1, 1000) AS id");
        admin_.run("VACUUM ANALYZE account");
    } else {
        admin_.run(fmt::format("TRUNCATE doctor, duty; INSERT INTO doctor"
                               " SELECT id, true FROM generate_series(1, {}) AS id",
                               doctors));
        admin_.run("VACUUM ANALYZE doctor");
    }
}

std::vector<std::string> tables::check(job what, const acknowledged &by_clients) {
    return what == job::hot_row ? check_hot_row(by_clients) : check_write_skew(by_clients);
}

std::vector<std::string> tables::check_hot_row(const acknowledged &by_clients) {
    std::vector<std::string> wrong;
    const auto balances = number_of(admin_.run("SELECT sum(balance) FROM account"));
    if (balances != by_clients.amount)
        wrong.push_back(fmt::format("hot row: {} was acknowledged, the balance is {}",
                                    by_clients.amount, balances));
    // Each line has the balance after it; a lost or doubled one would leave a gap.
    const auto lines = admin_.run(
        "SELECT count(*), coalesce(sum(amount), 0), count(*) FILTER (WHERE balance <> running)"
        "  FROM (SELECT amount, balance, sum(amount) OVER (ORDER BY balance) AS running"
        "          FROM history) AS line");
    if (number_of(lines) != static_cast<std::int64_t>(by_clients.commits) ||
        number_of(lines, 1) != by_clients.amount || number_of(lines, 2) != 0)
        wrong.push_back(
            fmt::format("hot row: {} commits of {} were acknowledged; the history has {} of {}, "
                        "and {} do not follow from those before",
                        by_clients.commits, by_clients.amount, number_of(lines),
                        number_of(lines, 1), number_of(lines, 2)));
    return wrong;
}

// Every line says how many its transaction saw on call and what it did. One after the other they
// are a walk from 16 up and down by ones, so between two neighbours it goes down as often as up,
// and once more where the end is below. Two that saw the same state break that.
std::vector<std::string> tables::check_write_skew(const acknowledged &by_clients) {
    std::vector<std::string> wrong;
    const auto end = number_of(admin_.run("SELECT count(*) FROM doctor WHERE on_call"));
    const auto notes =
        admin_.run("SELECT seen_on_call, was_on_call, count(*) FROM duty GROUP BY 1, 2");
    std::array<std::int64_t, doctors + 1> down_to{}; // more often than up from there
    std::int64_t lines = 0;
    bool broken = end < least_on_call;
    for (int i = 0; i < notes.count(); ++i) {
        const auto seen = notes.integer(i, 0);
        const auto times = std::stoll(notes.text(i, 2));
        const bool was_on_call = *notes.text(i, 1) == 't';
        lines += times;
        broken = broken || seen < least_on_call;
        if (was_on_call && seen > least_on_call)
            down_to.at(static_cast<std::size_t>(seen) - 1) += times;
        else if (!was_on_call)
            down_to.at(static_cast<std::size_t>(seen)) -= times;
    }
    for (int count = 0; count < doctors; ++count)
        broken = broken || down_to.at(static_cast<std::size_t>(count)) != (end <= count ? 1 : 0);
    if (broken)
        wrong.push_back(fmt::format("write skew: what was seen is no serial order, or fewer than "
                                    "{} were on call; in the end {}",
                                    least_on_call, end));
    if (lines != static_cast<std::int64_t>(by_clients.commits))
        wrong.push_back(fmt::format("write skew: {} commits were acknowledged, {} are there",
                                    by_clients.commits, lines));
    return wrong;
}

} // namespace lockstep::bench
