#include "server.hpp"

#include "private_cluster.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <unistd.h>
#include <utility>

namespace lockstep::testing {
namespace {

// "host=/tmp/x port=1 ..." as scripts/cluster prints it.
server_address parsed(const std::string &conninfo) {
    const auto value = [&](const std::string &name) {
        const auto begin = conninfo.find(name + "=") + name.size() + 1;
        return conninfo.substr(begin, conninfo.find(' ', begin) - begin);
    };
    return {value("host"), std::stoi(value("port"))};
}

std::string own_folder() {
    return (std::filesystem::temp_directory_path() / ("lockstep-test-" + std::to_string(getpid())))
        .string();
}

} // namespace

server_address shared_server() {
    const char *const folder = std::getenv("LOCKSTEP_TEST_SERVER");
    if (folder != nullptr && *folder != '\0')
        return parsed(private_cluster::command({"conninfo", folder}));
    static const private_cluster own(own_folder(), {"max_connections = 500"});
    return parsed(own.conninfo());
}

ledger_database::ledger_database(server_address server) : server_(std::move(server)) {
    static std::atomic<int> made = 0;
    name_ = "test_" + std::to_string(getpid()) + "_" + std::to_string(++made);
    const std::string home = "host=" + server_.socket_folder +
                             " port=" + std::to_string(server_.port) + " user=postgres dbname=";
    admin(home + "postgres").run("CREATE DATABASE " + name_);
    reconnect();
    ask().run("CREATE EXTENSION lockstep;"
              "CREATE TABLE account (id bigint PRIMARY KEY, balance bigint NOT NULL);"
              "INSERT INTO account SELECT id, 1000 FROM generate_series(1, 8) AS id;"
              "SELECT lockstep.register_ledger('account')");
}

ledger_database::~ledger_database() {
    admin_.reset();
    try {
        admin("host=" + server_.socket_folder + " port=" + std::to_string(server_.port) +
              " user=postgres dbname=postgres")
            .run("DROP DATABASE " + name_ + " WITH (FORCE)");
    } catch (const std::exception &) { // NOLINT(bugprone-empty-catch): its cluster goes anyway
    }
}

std::string ledger_database::conninfo() const {
    return "host=" + server_.socket_folder + " port=" + std::to_string(server_.port) +
           " user=postgres dbname=" + name_;
}

std::string ledger_database::conninfo(int port) const {
    return "host=127.0.0.1 port=" + std::to_string(port) + " user=postgres dbname=" + name_ +
           " sslmode=disable gssencmode=disable";
}

void ledger_database::reconnect() {
    admin_ = std::make_unique<admin>(conninfo());
}

std::string ledger_database::violations(const std::vector<request_id> &acknowledged) {
    std::string found;
    const auto expect = [&](const std::string &what, const std::string &sql) {
        for (const auto &row : ask().rows(sql)) {
            found += what + ":";
            for (const auto &cell : row)
                found += " " + cell;
            found += "\n";
        }
    };
    expect("the sum is", "SELECT sum(balance) FROM account HAVING sum(balance) <> 8000");
    expect("amount and journal differ",
           "SELECT a.id, a.balance, 1000 + coalesce(sum(m.amount), 0) FROM account AS a"
           "  LEFT JOIN (SELECT from_key AS id, -amount AS amount FROM account_journal"
           "              WHERE refusal IS NULL"
           "             UNION ALL SELECT to_key, amount FROM account_journal"
           "              WHERE refusal IS NULL) AS m USING (id)"
           " GROUP BY a.id, a.balance HAVING a.balance <> 1000 + coalesce(sum(m.amount), 0)");
    expect("verify_ledger", "SELECT * FROM lockstep.verify_ledger('account')");
    std::string ids = "{";
    for (const auto &id : acknowledged)
        ids += (ids.size() > 1 ? "," : "") + id.to_string();
    expect("acknowledged, and so often in the journal",
           "SELECT id, count(j.request_id) FROM unnest('" + ids +
               "}'::uuid[]) AS id LEFT JOIN account_journal AS j ON j.request_id = id"
               " GROUP BY id HAVING count(j.request_id) <> 1");
    return found;
}

int ledger_database::booked() {
    return std::stoi(ask().value("SELECT count(*) FROM account_journal WHERE refusal IS NULL"));
}

pool_options server_test::options(std::size_t max_size) const {
    pool_options wanted;
    wanted.conninfo = database_.conninfo();
    wanted.max_size = max_size;
    return wanted;
}

pool_options server_test::options_through(int port, std::size_t max_size) const {
    auto wanted = options(max_size);
    wanted.conninfo = database_.conninfo(port);
    return wanted;
}

transfer_request one_unit() {
    return {.ledger = "account", .from_key = 1, .to_key = 2, .amount = 1};
}

unsigned printed_seed() {
    const char *const given = std::getenv("LOCKSTEP_SEED");
    const auto seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10))
                                       : std::random_device{}();
    std::cout << "seed " << seed << " (LOCKSTEP_SEED=" << seed << " repeats it)\n";
    return seed;
}

std::function<void(const retry_event &)> event_log::hook() {
    return [this](const retry_event &event) {
        codes.emplace_back(event.sqlstate);
        phases.push_back(event.where);
        events.push_back(event);
        events.back().sqlstate = events.back().message = {};
    };
}

int event_log::count(const std::string &code) const {
    return static_cast<int>(std::count(codes.begin(), codes.end(), code));
}

} // namespace lockstep::testing
