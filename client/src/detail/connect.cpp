#include "detail/connect.hpp"

#include <lockstep/error.hpp>

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace lockstep::detail {
namespace {

// A link that died without a word is noticed in seconds, not in the system's two hours.
constexpr std::pair<const char *, const char *> defaults[] = {
    {"fallback_application_name", "lockstep"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "15000"},
};

// "a,b,c" beginning with the given one; an empty entry has a meaning, so it stays.
std::string rotated(const std::string &list, std::size_t turn) {
    std::vector<std::string> entries{""};
    for (const char c : list) {
        if (c == ',')
            entries.emplace_back();
        else
            entries.back() += c;
    }
    const auto first = static_cast<std::ptrdiff_t>(turn % entries.size());
    std::rotate(entries.begin(), entries.begin() + first, entries.end());
    std::string joined = entries.front();
    for (std::size_t i = 1; i < entries.size(); ++i)
        joined += "," + entries[i];
    return joined;
}

bool is_code_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

// Where "SEVERITY:  40001: " has its code; the words are translated, the two spaces are not.
std::size_t code_position(std::string_view message, std::size_t from) {
    for (auto at = message.find(":  ", from); at != std::string_view::npos;
         at = message.find(":  ", at + 1)) {
        const auto code = message.substr(at + 3, 6);
        if (code.size() == 6 && code[5] == ':' &&
            std::all_of(code.begin(), code.begin() + 5, is_code_character))
            return at + 3;
    }
    return std::string_view::npos;
}

// Of several hosts the last one that gave a code has the last word.
std::string_view last_report(std::string_view text) {
    auto begin = code_position(text, 0);
    if (begin == std::string_view::npos)
        return text;
    for (auto next = begin; next != std::string_view::npos; next = code_position(text, next))
        begin = next;
    return text.substr(begin - 3);
}

[[noreturn]] void fail(const std::string &message, std::string sqlstate = {}) {
    error_facts facts;
    facts.sqlstate = std::move(sqlstate);
    facts.where = phase::connect;
    throw statement_error(message, std::move(facts));
}

} // namespace

void close_connection::operator()(pg_conn *connection) const noexcept {
    PQfinish(connection);
}

std::string sqlstate_in(std::string_view verbose_message) {
    // The first: what follows may quote anybody's text.
    const auto code = code_position(verbose_message, 0);
    return std::string(code == std::string_view::npos ? std::string_view{}
                                                      : verbose_message.substr(code, 5));
}

std::string first_sentence(std::string_view verbose_message) {
    if (const auto code = code_position(verbose_message, 0); code != std::string_view::npos)
        verbose_message.remove_prefix(std::min(code + 7, verbose_message.size()));
    return std::string(verbose_message.substr(0, verbose_message.find('\n')));
}

endpoint::endpoint(const std::string &conninfo) {
    char *problem = nullptr;
    PQconninfoOption *const options = PQconninfoParse(conninfo.c_str(), &problem);
    if (options == nullptr) {
        const std::string text = problem != nullptr ? first_sentence(problem) : "out of memory";
        PQfreemem(problem);
        throw std::invalid_argument("the connection string is not valid: " + text);
    }
    for (const auto &[keyword, value] : defaults)
        settings_.emplace_back(keyword, value);
    // Of two entries for one keyword libpq takes the later one.
    for (const auto *option = options; option->keyword != nullptr; ++option)
        if (option->val != nullptr)
            settings_.emplace_back(option->keyword, option->val);
    PQconninfoFree(options);
}

raw_connection endpoint::start(std::size_t turn, bool writable) const {
    auto settings = settings_;
    bool states_target = false;
    for (auto &[keyword, value] : settings) {
        if (keyword == "host" || keyword == "hostaddr" || keyword == "port")
            value = rotated(value, turn);
        states_target = states_target || keyword == "target_session_attrs";
    }
    if (writable && !states_target)
        settings.emplace_back("target_session_attrs", "read-write");
    std::vector<const char *> keywords, values;
    for (const auto &[keyword, value] : settings) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    return raw_connection(PQconnectStartParams(keywords.data(), values.data(), 0));
}

raw_connection endpoint::open(time_point deadline, bool writable) const {
    const auto turn = turn_.load();
    auto connection = start(turn, writable);
    if (connection == nullptr)
        throw std::bad_alloc();
    // Before the first answer, so that a refusal carries its SQLSTATE.
    PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
    auto next =
        PQstatus(connection.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) {
            const std::string_view report = last_report(PQerrorMessage(connection.get()));
            fail("could not connect: " + first_sentence(report), sqlstate_in(report));
        }
        // The socket may be another one after each step.
        pollfd waiting{PQsocket(connection.get()),
                       static_cast<short>(next == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
        const int ready = poll(&waiting, 1, poll_timeout(deadline));
        if (ready == 0 && clock::now() >= deadline) {
            turn_.store(turn + 1);
            fail("could not connect in time");
        }
        if (ready < 0 && errno != EINTR)
            fail("could not wait for the connection");
        if (ready > 0)
            next = PQconnectPoll(connection.get());
    }
    // We never let libpq wait: whoever waits, waits with a deadline.
    if (PQsetnonblocking(connection.get(), 1) != 0)
        fail("could not make the connection nonblocking");
    return connection;
}

} // namespace lockstep::detail
