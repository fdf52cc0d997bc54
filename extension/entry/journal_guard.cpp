// lockstep.journal_guard: the trigger that keeps journals append-only, and lockstep their only
// writer. By statement for what names the journal, by row for what reaches it through a parent
// table.
#include "store/journal_guard.hpp"
#include "pg/boundary.hpp"

#include "core/sql_error.hpp"

#include <string>

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_journal_guard) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        throw sql_error(state::triggered_action_exception,
                        "lockstep.journal_guard() can only be called as a trigger");
    const auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
    const Relation journal = trigger->tg_relation;
    if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) || !is_being_written(RelationGetRelid(journal)))
        throw sql_error(state::insufficient_privilege,
                        std::string{"journal \""} + RelationGetRelationName(journal) +
                            "\" is written by lockstep alone",
                        {},
                        "Its owner may take old rows away between ALTER TABLE ... DISABLE TRIGGER "
                        "USER and ENABLE TRIGGER USER; their request ids may then be used again.");
    return PointerGetDatum(nullptr);
}
