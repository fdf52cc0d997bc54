// lockstep.get_transaction_age_history: the samples, oldest first.
#include "age/history.h"
#include "core/age/claim.hpp"
#include "core/sql_error.hpp"
#include "locks/catalogs.hpp"
#include "locks/columns.hpp"
#include "locks/sessions.hpp"
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
    sample_rows(FunctionCallInfo call, sessions &people)
        : call_(call), people_(people), sees_states_(people.may_see_all()) {
        row_.open_set(call);
    }

    void put(const age_sample &one) {
        const auto next = static_cast<age::xid_place>(one.next_xid);
        row_.add(TimestampTzGetDatum(one.taken_at));
        row_.add(pg_call([next] {
            return FullTransactionIdGetDatum(FullTransactionIdFromU64(static_cast<uint64>(next)));
        }));
        row_.add(TransactionIdGetDatum(one.next_multi));
        row_.add(people_.database_name(one.oldest_database));
        row_.add(age_value(one.oldest_xid, next));
        row_.add(Int64GetDatum(static_cast<std::int32_t>(one.next_multi - one.oldest_multi)));
        add_top(one, next);
        for (const holder_kind kind : shown)
            row_.add(is_state(kind) && !sees_states_
                         ? column_value{}
                         : age_value(one.kinds[static_cast<std::size_t>(kind)].oldest, next));
        row_.append(call_);
    }

  private:
    static column_value age_value(TransactionId xid, age::xid_place next) {
        const auto found = age::age_of(age::place_of(xid, next), next);
        return found ? column_value{Int64GetDatum(*found)} : column_value{};
    }

    void add_top(const age_sample &one, age::xid_place next) {
        if (one.top_oldest == InvalidTransactionId) {
            for (int i = 0; i < 8; ++i)
                row_.add(std::nullopt);
            return;
        }
        // Since when is for those who may see it of a session that runs.
        const bool may_see = one.top_role == InvalidOid || people_.may_see(one.top_role);
        const auto kind = static_cast<holder_kind>(one.top_kind);
        row_.add(kind_value(is_state(kind) && !may_see ? holder_kind::session : kind));
        row_.add(int_or_null(one.top_pid));
        row_.add(top_name(one, kind));
        row_.add(people_.database_name(one.top_database));
        row_.add(people_.role_name(one.top_role));
        row_.add(may_see ? moment_value(one.top_since) : column_value{});
        row_.add(TransactionIdGetDatum(one.top_oldest));
        row_.add(age_value(one.top_oldest, next));
    }

    // The sampler does not know the names of prepared transactions; as long as one is there, it is
    // known now.
    column_value top_name(const age_sample &one, holder_kind kind) {
        if (kind == holder_kind::prepared)
            for (const prepared_transaction &listed : people_.prepared())
                if (listed.xid == one.top_oldest)
                    return listed.gid;
        if (one.top_name[0] == '\0')
            return {};
        if (!last_name_ || last_text_ != one.top_name) {
            last_text_ = one.top_name;
            last_name_ = text_datum(one.top_name);
        }
        return last_name_;
    }

    // Thousands of rows say the same: each text is made once.
    column_value kind_value(holder_kind kind) {
        column_value &known = kinds_[static_cast<std::size_t>(kind)];
        if (!known)
            known = text_datum(std::string{age::kind_name(kind)}.c_str());
        return known;
    }

    static bool is_state(holder_kind kind) {
        return kind == holder_kind::active || kind == holder_kind::idle_in_xact ||
               kind == holder_kind::idle_in_xact_aborted || kind == holder_kind::fastpath ||
               kind == holder_kind::standby_session;
    }

    FunctionCallInfo call_;
    sessions &people_;
    std::array<column_value, age::holder_kinds> kinds_{};
    column_value last_name_;
    std::string last_text_;
    bool sees_states_; // what sessions did, whoever they were
    row_builder<22> row_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_transaction_age_history) {
    if (!lockstep_has_history())
        throw sql_error(state::prerequisite_state, "there is no history of transaction ages", {},
                        "Add lockstep to shared_preload_libraries and restart the server; "
                        "lockstep.sample_interval says how often it looks.");
    catalogs names;
    sessions people(names.readable());
    age_sample *samples = nullptr;
    const std::int32_t count = pg_call([&samples] { return lockstep_copy_history(&samples); });
    sample_rows rows(fcinfo, people);
    for (std::int32_t i = 0; i < count; ++i) {
        check_interrupts();
        rows.put(samples[i]);
    }
    names.release();
    PG_RETURN_NULL();
}
