// lockstep.get_wraparound_status: one row for each database.
#include "age/databases.hpp"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"

using namespace lockstep;

namespace {

class database_rows {
  public:
    database_rows(FunctionCallInfo call, horizon_holders &seen)
        : call_(call), holders_(seen), rates_(rates_of(seen.now())) {
        row_.open_pruned_set(call);
    }

    void put(const database &one) {
        row_.add(ObjectIdGetDatum(one.oid));
        row_.add(holders_.database_name(one.oid));
        row_.add(BoolGetDatum(one.takes_connections));
        row_.add(TransactionIdGetDatum(one.frozen));
        add(one.xids);
        row_.add(TransactionIdGetDatum(one.oldest_multi));
        add(one.multis);
        row_.add(rate_value(rates_.xids));
        row_.add(rate_value(rates_.multis));
        row_.add(time_value(one.xids.to_autovacuum, one.multis.to_autovacuum));
        row_.add(time_value(one.xids.to_stop, one.multis.to_stop));
        add_top(one.top);
        row_.add(text_or_null(std::string{age::severity_name(one.found.level)}));
        row_.add(text_or_null(one.found.reason));
        row_.add(text_or_null(one.advice));
        row_.append(call_);
    }

  private:
    void add(const distances &one) {
        for (const std::int64_t count :
             {one.age, one.to_autovacuum, one.to_failsafe, one.to_warning, one.to_stop})
            row_.add(Int64GetDatum(count));
    }

    static column_value rate_value(std::optional<double> rate) {
        if (!rate)
            return {};
        const double value = *rate;
        return pg_call([value] { return Float8GetDatum(value); });
    }

    [[nodiscard]] column_value time_value(std::int64_t xids, std::int64_t multis) const {
        const auto length = rates_.until(xids, multis);
        return length ? column_value{days_datum(*length)} : column_value{};
    }

    void add_top(const holder_row *top) {
        if (top == nullptr) {
            row_.add_nulls(3);
            return;
        }
        row_.add(text_or_null(std::string{age::kind_name(top->holder.kind)}));
        row_.add(text_or_null(holders_.label_of(*top)));
        row_.add(Int64GetDatum(*age::age_of(top->oldest(), holders_.next())));
    }

    FunctionCallInfo call_;
    horizon_holders &holders_;
    id_rates rates_;
    row_builder<25> row_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_wraparound_status) {
    horizon_holders seen;
    const std::vector<database> found = databases_of(seen);
    database_rows rows(fcinfo, seen);
    for (const database &one : found)
        rows.put(one);
    seen.release();
    PG_RETURN_NULL();
}
