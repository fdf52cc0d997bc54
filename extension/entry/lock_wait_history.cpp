// lockstep.get_lock_wait_history, reset_lock_history: who waited for whom in the last hours, by
// samples.
#include "activity/catalogs.hpp"
#include "lock_samples/pairs.h"
#include "lock_samples/shown.hpp"
#include "pg/rows.hpp"

#include <string>

using namespace lockstep;

namespace {

class wait_rows {
  public:
    wait_rows(FunctionCallInfo call, catalogs &names, sessions &activity)
        : call_(call), names_(names), activity_(activity), shown_(activity) {
        row_.open_pruned_set(call);
    }

    void put(const sampled_wait &one) {
        row_.add(TimestampTzGetDatum(one.started));
        row_.add(TimestampTzGetDatum(one.last_seen));
        row_.add([&]() -> column_value { return interval_datum(one.last_seen - one.started); });
        row_.add(Int64GetDatum(one.samples));
        row_.add([&] { return activity_.database_name(one.database); });
        row_.add(int_or_null(one.waiter.pid));
        add_session(one.waiter);
        add_lock(one);
        row_.add(int_or_null(one.blocker.pid));
        row_.add(xid_or_null(one.blocker.xid));
        add_session(one.blocker);
        row_.add(int_or_null(one.root.pid));
        row_.add(xid_or_null(one.root.xid));
        row_.add([&] { return shown_.state(one.root); });
        row_.add([&] { return shown_.transaction_started(one.root); });
        add_session(one.root);
        row_.append(call_);
    }

  private:
    void add_session(const sampled_session &who) {
        row_.add([&] { return shown_.user(who); });
        row_.add([&] { return shown_.application(who); });
        row_.add([&] { return shown_.query_id(who.statement); });
        row_.add([&] { return text_or_null(shown_.text_of(who.statement)); });
    }

    void add_lock(const sampled_wait &one) {
        if (row_.passes_unread(6))
            return;
        const wanted_place wanted = wanted_by(one, names_);
        const std::string text =
            wanted.row ? row_text(wanted.database, wanted.relation, *wanted.row, nullptr, names_)
                       : wanted.lock.text;
        const column_value oid = oid_or_null(wanted.relation);
        row_.add(text_datum(wanted.lock.type));
        row_.add(text_datum(GetLockmodeName(one.method, one.mode)));
        row_.add(names_.shows(wanted.database) ? oid : column_value{});
        row_.add(oid);
        row_.add(row_place_value(wanted.row));
        row_.add(text_datum(text.c_str()));
    }

    FunctionCallInfo call_;
    catalogs &names_;
    sessions &activity_;
    shown_samples shown_;
    row_builder<30> row_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_lock_wait_history) {
    require_lock_samples();
    catalogs names;
    sessions activity(names.readable());
    sampled_wait *waits = nullptr;
    const std::int32_t count = pg_call([&waits] { return lockstep_copy_wait_history(&waits); });
    wait_rows rows(fcinfo, names, activity);
    for (std::int32_t i = 0; i < count; ++i) {
        check_interrupts();
        rows.put(waits[i]);
    }
    names.release();
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_reset_lock_history) {
    require_lock_samples();
    pg_call([] {
        lockstep_clear_wait_history();
        lockstep_clear_pairs();
    });
    PG_RETURN_VOID();
}
