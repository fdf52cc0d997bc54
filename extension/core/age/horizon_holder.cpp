#include "core/age/horizon_holder.hpp"

namespace lockstep::age {

std::string_view kind_name(holder_kind kind) {
    switch (kind) {
    case holder_kind::active: return "active";
    case holder_kind::idle_in_xact: return "idle_in_xact";
    case holder_kind::idle_in_xact_aborted: return "idle_in_xact_aborted";
    case holder_kind::fastpath: return "fastpath";
    case holder_kind::session: return "session";
    case holder_kind::parallel_worker: return "parallel_worker";
    case holder_kind::background_worker: return "background_worker";
    case holder_kind::autovacuum: return "autovacuum";
    case holder_kind::vacuum: return "vacuum";
    case holder_kind::prepared: return "prepared";
    case holder_kind::walsender: return "walsender";
    case holder_kind::walsender_feedback: return "walsender_feedback";
    case holder_kind::slot_physical: return "slot_physical";
    case holder_kind::slot_logical: return "slot_logical";
    case holder_kind::standby_session: return "standby_session";
    case holder_kind::primary_transaction: return "primary_transaction";
    case holder_kind::temp_table: return "temp_table";
    }
    return "";
}

bool tells_state(holder_kind kind) {
    return kind == holder_kind::active || kind == holder_kind::idle_in_xact ||
           kind == holder_kind::idle_in_xact_aborted || kind == holder_kind::fastpath ||
           kind == holder_kind::standby_session;
}

} // namespace lockstep::age
