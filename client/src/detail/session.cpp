#include "detail/session.hpp"

#include "array_parameter.hpp"
#include "rows_builder.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace lockstep::detail {
namespace {

using namespace std::chrono_literals;

std::string text_of(const pg_result *report, int what) {
    const char *const text = PQresultErrorField(report, what);
    return text != nullptr ? text : "";
}

std::string level_name(isolation level) {
    switch (level) {
    case isolation::read_committed: return "read committed";
    case isolation::repeatable_read: return "repeatable read";
    case isolation::serializable: return "serializable";
    }
    return "serializable";
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

answer copied(pg_result *report) {
    rows::builder building;
    const int columns = PQnfields(report), count = PQntuples(report);
    for (int column = 0; column < columns; ++column)
        building.add_column(PQfname(report, column));
    building.reserve(static_cast<std::size_t>(count), 0);
    for (int index = 0; index < count; ++index)
        for (int column = 0; column < columns; ++column)
            if (PQgetisnull(report, index, column) != 0)
                building.add_null();
            else
                building.add_cell({PQgetvalue(report, index, column),
                                   static_cast<std::size_t>(PQgetlength(report, index, column))});
    building.set_count(static_cast<std::size_t>(count));
    building.set_affected(number(PQcmdTuples(report)));
    return {building.finish(), PQcmdStatus(report)};
}

// Parameters as libpq takes them; NULL is a null pointer. Views into them.
struct bound {
    explicit bound(std::span<const parameter> parameters) {
        for (const auto &each : parameters) {
            values.push_back(each.text() ? each.text()->c_str() : nullptr);
            const bool is_binary = binary_parameter::is(each);
            formats.push_back(is_binary ? 1 : 0);
            // Of a text libpq finds the end itself.
            lengths.push_back(is_binary ? static_cast<int>(each.text()->size()) : 0);
        }
    }
    [[nodiscard]] int count() const noexcept { return static_cast<int>(values.size()); }

    std::vector<const char *> values;
    std::vector<int> lengths, formats;
};

} // namespace

session::session(raw_connection connection, const settings &wanted, notice_sink on_notice,
                 time_point deadline)
    : raw_(connection.get()), link_(std::make_unique<pqxx_link>(connection.release())),
      on_notice_(std::move(on_notice)) {
    // After libpqxx, which installs its own: libpq's default writes to our caller's stderr.
    PQsetNoticeReceiver(raw_, &session::take_notice, this);
    PQsetErrorVerbosity(raw_, PQERRORS_VERBOSE);
    try {
        set_up(wanted, deadline);
    } catch (const statement_error &failure) {
        auto facts = failure.facts();
        facts.where = phase::connect;
        throw statement_error(std::string("could not set up the session: ") + failure.what(),
                              std::move(facts));
    }
}

session::~session() {
    // The notice receiver must not be called with a session that is half gone.
    PQsetNoticeReceiver(
        raw_, [](void *, const pg_result *) {}, nullptr);
}

void session::take_notice(void *self, const pg_result *notice) noexcept {
    try {
        auto &home = *static_cast<session *>(self);
        // An error that comes unasked: the server ends the session, and libpq tells it as a notice.
        const auto severity = text_of(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
        if (severity == "FATAL" || severity == "PANIC")
            home.farewell_ = text_of(notice, PG_DIAG_SQLSTATE);
        if (home.on_notice_)
            home.on_notice_(text_of(notice, PG_DIAG_MESSAGE_PRIMARY));
    } catch (...) { // NOLINT(bugprone-empty-catch): libpq's C code cannot let it pass
    }
}

void session::set_up(const settings &wanted, time_point deadline) {
    const auto literal = [this](const std::string &text) {
        const std::unique_ptr<char, void (*)(void *)> quoted(
            PQescapeLiteral(raw_, text.data(), text.size()), PQfreemem);
        if (quoted == nullptr)
            throw statement_error(first_sentence(PQerrorMessage(raw_)), {});
        return std::string(quoted.get());
    };
    // The server is to notice a client that has gone: by keepalives while it waits for our next
    // word, and by looking while it works or waits for a lock (which it can where it runs on
    // Linux).
    std::string text =
        "SELECT pg_catalog.set_config('tcp_keepalives_idle', '10', false),"
        " pg_catalog.set_config('tcp_keepalives_interval', '5', false),"
        " pg_catalog.set_config('tcp_keepalives_count', '3', false);"
        "SELECT pg_catalog.set_config('client_connection_check_interval', '5s', false)"
        " WHERE pg_catalog.version() LIKE '%linux%';";
    for (const auto &[name, value] : wanted)
        text +=
            "SELECT pg_catalog.set_config(" + literal(name) + ", " + literal(value) + ", false);";
    text += "SELECT (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'statement_timeout'),"
            " pg_catalog.current_setting('default_transaction_isolation'),"
            " (SELECT extract(epoch FROM backend_start)::text FROM pg_catalog.pg_stat_activity"
            "   WHERE pid = pg_catalog.pg_backend_pid())";
    const auto facts = simple(text, deadline).data;
    backend_pid_ = PQbackendPID(raw_);
    server_limit_ms_ = session_limit_ms_ = limit_ms_ = facts[0][0].as<std::int64_t>();
    session_level_ = facts[0][1].as<std::string>();
    backend_start_ = facts[0][2].as_optional<std::string>().value_or("");
}

answer session::simple(const std::string &text, time_point deadline) {
    const auto begun = clock::now();
    return collect(PQsendQuery(raw_, text.c_str()) == 1, begun, deadline);
}

answer session::execute(const std::string &text, std::span<const parameter> parameters,
                        time_point deadline) {
    const bound sent(parameters);
    const auto begun = clock::now();
    return collect(PQsendQueryParams(raw_, text.c_str(), sent.count(), nullptr, sent.values.data(),
                                     sent.lengths.data(), sent.formats.data(), 0) == 1,
                   begun, deadline);
}

void session::prepare(const char *name, const char *text, time_point deadline) {
    if (prepared_.contains(name))
        return;
    const auto begun = clock::now();
    collect(PQsendPrepare(raw_, name, text, 0, nullptr) == 1, begun, deadline);
    prepared_.emplace(name);
}

answer session::execute_prepared(const char *name, std::span<const parameter> parameters,
                                 time_point deadline, answer_form form) {
    const bound sent(parameters);
    const auto begun = clock::now();
    return collect(PQsendQueryPrepared(raw_, name, sent.count(), sent.values.data(),
                                       sent.lengths.data(), sent.formats.data(),
                                       form == answer_form::binary ? 1 : 0) == 1,
                   begun, deadline);
}

void session::begin(isolation level, access_mode mode, time_point deadline) {
    ran_out_of_time_ = plan_was_stale_ = false;
    if (mode == access_mode::read_write)
        expect_primary();
    limit_ms_ = limit_for(deadline);
    limited_since_ = clock::now();
    // Never READ WRITE in so many words: a standby would answer 0A000 instead of 25006.
    simple("BEGIN ISOLATION LEVEL " + level_name(level) +
               (mode == access_mode::read_only ? " READ ONLY" : "") +
               "; SET LOCAL statement_timeout = " + std::to_string(limit_ms_),
           deadline);
}

void session::ready_for_call(isolation level, time_point deadline) {
    ran_out_of_time_ = plan_was_stale_ = false;
    expect_primary();
    const auto wanted = limit_for(deadline);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(left_until(deadline)).count();
    // Near enough is good enough: a call's first attempt finds what the last call's first attempt
    // set.
    const bool fits = session_limit_ms_ == wanted ||
                      (wanted != server_limit_ms_ && session_limit_ms_ >= wanted * 3 / 4 &&
                       session_limit_ms_ <= wanted + (left - wanted) / 2);
    const auto name = level_name(level);
    if (!fits || name != session_level_) {
        simple("SET default_transaction_isolation = '" + name +
                   "'; SET statement_timeout = " + std::to_string(wanted),
               deadline);
        session_level_ = name;
        session_limit_ms_ = wanted;
    }
    limit_ms_ = session_limit_ms_;
    limited_since_ = clock::now();
}

// Less than what is left, so that the server's word that it stopped arrives in time: without it
// nobody knows what became of the statement.
std::int64_t session::limit_for(time_point deadline) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(left_until(deadline));
    const auto limit =
        std::clamp<std::int64_t>((left - std::min(left / 5, 500ms)).count(), 1, INT_MAX);
    return server_limit_ms_ != 0 ? std::min(limit, server_limit_ms_) : limit;
}

bool session::limit_has_struck(std::string_view sqlstate, time_point since) const {
    return sqlstate == "57014" && limit_ms_ != 0 && limit_ms_ != server_limit_ms_ &&
           clock::now() - since >= std::chrono::milliseconds(limit_ms_);
}

void session::expect_primary() const {
    const char *const standby = PQparameterStatus(raw_, "in_hot_standby");
    if (standby == nullptr || std::string_view(standby) != "on")
        return;
    error_facts facts;
    facts.sqlstate = "25006";
    throw statement_error("the server is a standby", std::move(facts));
}

session_state session::state() const noexcept {
    if (lost_ || PQstatus(raw_) != CONNECTION_OK)
        return session_state::lost;
    switch (PQtransactionStatus(raw_)) {
    case PQTRANS_IDLE: return session_state::idle;
    case PQTRANS_INTRANS: return session_state::open;
    case PQTRANS_INERROR: return session_state::failed;
    case PQTRANS_ACTIVE:
    case PQTRANS_UNKNOWN: break;
    }
    // Between two statements of ours nothing is under way, unless the callback left it so.
    return session_state::lost;
}

bool session::alive_now() {
    while (is_open()) {
        pollfd waiting{PQsocket(raw_), POLLIN, 0};
        if (poll(&waiting, 1, 0) == 0)
            return true;
        if (PQconsumeInput(raw_) == 0)
            break;
        // Takes in what was read: a notice, a changed setting, the server's farewell.
        PQisBusy(raw_);
        while (PGnotify *const notification = PQnotifies(raw_))
            PQfreemem(notification);
    }
    lost_ = true;
    return false;
}

bool session::is_read_only() const {
    for (const char *name : {"in_hot_standby", "default_transaction_read_only"}) {
        const char *const value = PQparameterStatus(raw_, name);
        if (value != nullptr && std::string_view(value) == "on")
            return true;
    }
    return false;
}

void session::wait_for(short events, time_point deadline) {
    for (;;) {
        pollfd waiting{PQsocket(raw_), events, 0};
        const int ready = poll(&waiting, 1, poll_timeout(deadline));
        if (ready > 0)
            return;
        if (ready == 0 && clock::now() >= deadline) {
            give_up_on_it();
            ran_out_of_time_ = true;
            throw statement_error("the server did not answer in time", {});
        }
        if (ready < 0 && errno != EINTR) {
            give_up_on_it();
            throw statement_error("could not wait for the server's answer", {});
        }
    }
}

void session::give_up_on_it() noexcept {
    lost_ = true;
    // The server may notice it sooner than by the pool's closing of the session.
    shutdown(PQsocket(raw_), SHUT_RDWR);
}

answer session::collect(bool accepted, time_point begun, time_point deadline) {
    ran_out_of_time_ = plan_was_stale_ = false;
    if (!accepted)
        fail(nullptr, begun);
    sent_ = true;
    while (PQflush(raw_) == 1) {
        // The server may have to be heard before it listens.
        wait_for(POLLIN | POLLOUT, deadline);
        if (PQconsumeInput(raw_) == 0)
            break;
    }
    result latest(nullptr, PQclear), failure(nullptr, PQclear);
    for (;;) {
        while (PQisBusy(raw_) == 1) {
            wait_for(POLLIN, deadline);
            if (PQconsumeInput(raw_) == 0)
                break; // the next result tells why
        }
        // Until there is no more: what a statement returned is not yet what its commit says.
        result next(PQgetResult(raw_), PQclear);
        if (next == nullptr)
            break;
        switch (PQresultStatus(next.get())) {
        case PGRES_EMPTY_QUERY:
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK: latest = std::move(next); break;
        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            give_up_on_it();
            throw statement_error("COPY needs libpqxx (lockstep/native.hpp)", {});
        default:
            if (failure == nullptr)
                failure = std::move(next);
        }
    }
    if (failure != nullptr || latest == nullptr)
        fail(failure.get(), begun);
    return copied(latest.get());
}

void session::fail(const pg_result *report, time_point begun) {
    if (PQstatus(raw_) != CONNECTION_OK)
        lost_ = true;
    error_facts facts;
    std::string message;
    if (report != nullptr) {
        facts.sqlstate = text_of(report, PG_DIAG_SQLSTATE);
        facts.detail = text_of(report, PG_DIAG_MESSAGE_DETAIL);
        facts.hint = text_of(report, PG_DIAG_MESSAGE_HINT);
        facts.constraint = text_of(report, PG_DIAG_CONSTRAINT_NAME);
        message = text_of(report, PG_DIAG_MESSAGE_PRIMARY);
        if (message.empty())
            message = first_sentence(PQresultErrorMessage(report));
        // The function's name in the server's source: the message itself is translated.
        plan_was_stale_ = facts.sqlstate == "0A000" &&
                          text_of(report, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery";
    } else {
        message = first_sentence(PQerrorMessage(raw_));
    }
    ran_out_of_time_ = limit_has_struck(facts.sqlstate, begun);
    throw statement_error(message, std::move(facts));
}

std::optional<statement_error> session::failure_of(const std::exception_ptr &thrown) {
    const auto report = report_of(thrown);
    if (!report)
        return std::nullopt;
    error_facts facts;
    facts.sqlstate =
        report->sqlstate.empty() ? sqlstate_in(PQerrorMessage(raw_)) : report->sqlstate;
    ran_out_of_time_ = limit_has_struck(facts.sqlstate, limited_since_);
    plan_was_stale_ = false;
    return statement_error(first_sentence(report->message), std::move(facts));
}

} // namespace lockstep::detail
