// lockstep.get_transaction_age_history: the samples, oldest first.
#include "activity/catalogs.hpp"
#include "age/past.hpp"
#include "core/sql_error.hpp"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"

#include <array>
#include <string>

using namespace lockstep;

namespace {

using age::holder_kind;

// The kinds that have columns of their own: those that can hold anything for long.
constexpr holder_kind shown[] = {
    holder_kind::active,       holder_kind::idle_in_xact,       holder_kind::prepared,
    holder_kind::autovacuum,   holder_kind::walsender_feedback, holder_kind::slot_physical,
    holder_kind::slot_logical, holder_kind::standby_session};

class sample_rows {
  public:
    sample_rows(FunctionCallInfo call, sessions &activity)
        : call_(call), activity_(activity), past_(activity) {
        row_.open_pruned_set(call);
    }

    void put(const age_sample &one) {
        const std::uint64_t next = one.next_xid;
        row_.add(TimestampTzGetDatum(one.taken_at));
        row_.add(
            pg_call([next] { return FullTransactionIdGetDatum(FullTransactionIdFromU64(next)); }));
        row_.add(TransactionIdGetDatum(one.next_multi));
        row_.add(activity_.database_name(one.oldest_database));
        row_.add(age_value(age_then(one, one.oldest_xid)));
        row_.add(Int64GetDatum(static_cast<std::int32_t>(one.next_multi - one.oldest_multi)));
        add_top(one, past_.top_of(one));
        for (const holder_kind kind : shown)
            row_.add(age_value(past_.held_by(one, kind)));
        row_.append(call_);
    }

  private:
    static column_value age_value(std::optional<std::int64_t> age) {
        return age ? column_value{Int64GetDatum(*age)} : column_value{};
    }

    void add_top(const age_sample &one, const std::optional<past::top> &top) {
        if (!top) {
            for (int i = 0; i < 8; ++i)
                row_.add(std::nullopt);
            return;
        }
        row_.add(kind_value(top->kind));
        row_.add(int_or_null(one.top_pid));
        row_.add(top->name);
        row_.add(activity_.database_name(one.top_database));
        row_.add(activity_.role_name(one.top_role));
        row_.add(moment_value(top->since));
        row_.add(TransactionIdGetDatum(one.top_oldest));
        row_.add(age_value(age_then(one, one.top_oldest)));
    }

    column_value kind_value(holder_kind kind) {
        column_value &known = kinds_[static_cast<std::size_t>(kind)];
        if (!known)
            known = text_datum(std::string{age::kind_name(kind)}.c_str());
        return known;
    }

    FunctionCallInfo call_;
    sessions &activity_;
    past past_;
    std::array<column_value, age::holder_kinds> kinds_{}; // made once each
    row_builder<22> row_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_transaction_age_history) {
    if (!lockstep_has_history())
        throw sql_error(state::prerequisite_state, "there is no history of transaction ages", {},
                        "Add lockstep to shared_preload_libraries and restart the server; "
                        "lockstep.sample_interval says how often it looks.");
    catalogs names;
    sessions activity(names.readable());
    age_sample *samples = nullptr;
    const std::int32_t count = pg_call([&samples] { return lockstep_copy_history(&samples); });
    sample_rows rows(fcinfo, activity);
    for (std::int32_t i = 0; i < count; ++i) {
        check_interrupts();
        rows.put(samples[i]);
    }
    names.release();
    PG_RETURN_NULL();
}
