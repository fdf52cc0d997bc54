#include "lock_samples/shown.hpp"

#include "core/sql_error.hpp"

#include <cstring>

namespace lockstep {

namespace {

// Without the beginning of a character at its end.
std::string clipped(const char *text) {
    const auto length = static_cast<int>(std::strlen(text));
    const int kept = pg_call([=] { return pg_mbcliplen(text, length, length); });
    return {text, static_cast<std::size_t>(kept)};
}

} // namespace

void require_lock_samples() {
    if (!lockstep_has_wait_history())
        throw sql_error(state::prerequisite_state, "there are no samples of locks", {},
                        "Add lockstep to shared_preload_libraries and restart the server; "
                        "lockstep.lock_sample_interval says how often it looks.");
}

std::string shown_samples::text_of(const sampled_statement &said) {
    if (said.text[0] == '\0')
        return {};
    return activity_.may_see(said.role) ? clipped(said.text) : "<insufficient privilege>";
}

column_value shown_samples::query_id(const sampled_statement &said) {
    if (said.query_id == 0 || !activity_.may_see(said.role))
        return {};
    return Int64GetDatum(said.query_id);
}

column_value shown_samples::application(const sampled_session &who) {
    return may_see(who) ? text_or_null(clipped(who.application)) : column_value{};
}

column_value shown_samples::state(const sampled_session &who) {
    if (who.is_prepared != 0)
        return text_datum("prepared");
    if (!may_see(who))
        return {};
    return text_or_null(state_name(static_cast<BackendState>(who.statement.state)));
}

column_value shown_samples::transaction_started(const sampled_session &who) {
    return may_see(who) ? moment_value(who.transaction_started) : column_value{};
}

} // namespace lockstep
