#include "lock_samples/shown.hpp"

#include "activity/kept_text.hpp"
#include "core/sql_error.hpp"

namespace lockstep {

void require_lock_samples() {
    if (!lockstep_has_wait_history())
        throw sql_error(state::prerequisite_state, "there are no samples of locks", {},
                        "Add lockstep to shared_preload_libraries and restart the server; "
                        "lockstep.lock_sample_interval says how often it looks.");
}

wanted_place wanted_by(const sampled_wait &one, catalogs &names) {
    lock_object lock{};
    lock.field1 = one.field1;
    lock.field2 = one.field2;
    lock.field3 = one.field3;
    lock.field4 = one.field4;
    lock.type = one.type;
    lock.method = one.method;
    return wanted_at(lock, {one.row_database, one.row_relation, one.row_block, one.row_offset},
                     names);
}

std::string shown_samples::text_of(const sampled_statement &said) {
    if (said.text[0] == '\0')
        return {};
    return activity_.may_see(said.role) ? kept_text(said.text) : "<insufficient privilege>";
}

column_value shown_samples::query_id(const sampled_statement &said) {
    if (said.query_id == 0 || !activity_.may_see(said.role))
        return {};
    return Int64GetDatum(said.query_id);
}

column_value shown_samples::application(const sampled_session &who) {
    return may_see(who) ? text_or_null(kept_text(who.application)) : column_value{};
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
