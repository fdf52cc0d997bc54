// lockstep.journal_guard: the trigger that keeps journals append-only, and lockstep their only
// writer. By statement for what names the journal, by row for what reaches it through a parent
// table, and to let in no row but those that lockstep writes.
#include "store/journal_guard.hpp"
#include "pg/boundary.hpp"
#include "pg/catalog.hpp"
#include "pg/values.hpp"

#include "core/sql_error.hpp"

#include <string>

using namespace lockstep;

namespace {

// A restore of data alone is not to be told from any other writing by its owner: he says what it
// is.
[[noreturn]] void refuse(Relation journal, TriggerEvent event) {
    throw sql_error(
        state::insufficient_privilege,
        "journal \"" + shown_name(journal) + "\" is written by lockstep alone", {},
        TRIGGER_FIRED_BY_INSERT(event)
            ? "To restore a dump of its rows, use the option --disable-triggers; or its owner puts "
              "the restore between ALTER TABLE ... DISABLE TRIGGER USER and ENABLE TRIGGER USER."
            : "Its owner may take old rows away between ALTER TABLE ... DISABLE TRIGGER "
              "USER and ENABLE TRIGGER USER; their request ids may then be used again.");
}

uuid_bytes id_of(const TriggerData &trigger, AttrNumber column) {
    const HeapTuple row = trigger.tg_trigtuple;
    const TupleDesc columns = RelationGetDescr(trigger.tg_relation);
    bool is_null = true;
    const Datum id =
        pg_call([=, &is_null] { return heap_getattr(row, column, columns, &is_null); });
    return is_null ? uuid_bytes{} : uuid_from_datum(id);
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_journal_guard) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        throw sql_error(state::triggered_action_exception,
                        "lockstep.journal_guard() can only be called as a trigger");
    const auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
    const Relation journal = trigger->tg_relation;
    journal_writing *writing = being_written(RelationGetRelid(journal));
    if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) || writing == nullptr)
        refuse(journal, trigger->tg_event);
    if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
        return Datum{0};
    if (!writing->take(id_of(*trigger, writing->id_column())))
        throw sql_error(state::triggered_action_exception,
                        "a row that lockstep does not write was to go into journal \"" +
                            shown_name(journal) + "\"",
                        "A trigger of the journal has changed a request id, or written a row "
                        "itself.");
    return PointerGetDatum(trigger->tg_trigtuple);
}
