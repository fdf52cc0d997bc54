// lockstep.get_transaction_age: one row for everything that has a transaction, a snapshot, a
// slot's xmin or temporary tables.
#include "age/horizon_holders.hpp"
#include "lock_graph/columns.hpp"
#include "pg/rows.hpp"

using namespace lockstep;

namespace {

class age_rows {
  public:
    age_rows(FunctionCallInfo call, horizon_holders &seen) : call_(call), holders_(seen) {
        row_.open_pruned_set(call);
    }

    void put(const holder_row &one) {
        row_.add(TimestampTzGetDatum(holders_.now().taken_at));
        row_.add([&] { return constants_(age::kind_name(one.holder.kind).data()); });
        add_who(one);
        add_times(one);
        add_ids(one);
        add_hold(one);
        add_locks(one);
        add_slot(one);
        row_.add([&] { return constants_(age::severity_name(one.found.level).data()); });
        row_.add([&] { return text_or_null(one.found.reason); });
        row_.add([&] { return text_or_null(one.advice); });
        row_.add([&] { return text_or_null(one.action); });
        row_.append(call_);
    }

  private:
    void add_who(const holder_row &one) {
        const age_process *process = holders_.process_of(one);
        const age_slot *slot = holders_.slot_of(one);
        if (process != nullptr) {
            const std::int32_t leader = process->process.leader;
            row_.add(int_or_null(process->process.pid));
            row_.add(int_or_null(holders_.now().processes[leader].process.pid));
        } else {
            row_.add(int_or_null(slot == nullptr ? 0 : slot->active_pid));
            row_.add(int_or_null(slot == nullptr ? 0 : slot->active_pid));
        }
        row_.add(one.who.gid);
        row_.add(slot == nullptr ? column_value{} : name_value(slot->name));
        row_.add(holders_.is_of_standby(one) ? one.who.application : column_value{});
        row_.add(holders_.database_name(one.holder.database));
        row_.add(one.who.user);
        row_.add(one.who.application);
        row_.add(one.who.client);
        row_.add(one.who.state);
        row_.add([&] {
            return process == nullptr ? column_value{}
                                      : wait_event_value(process->process, one.who);
        });
        row_.add(moment_value(one.who.started));
    }

    static column_value name_value(const char *name) {
        return pg_call([name] { return DirectFunctionCall1(namein, CStringGetDatum(name)); });
    }

    [[nodiscard]] column_value since(std::optional<TimestampTz> from) const {
        if (!from)
            return {};
        return interval_datum(std::max<TimestampTz>(holders_.now().taken_at - *from, 0));
    }

    void add_times(const holder_row &one) {
        const bool is_idle = one.who.doing == graph::activity::idle_in_transaction;
        const auto began = holders_.began(one);
        row_.add(moment_value(began));
        row_.add([&] { return since(began); });
        row_.add(moment_value(one.who.state_since));
        row_.add([&] { return is_idle ? since(one.who.state_since) : column_value{}; });
        row_.add(one.who.query);
    }

    void add_id(age::xid_place place) {
        if (place == age::nowhere) {
            row_.add_nulls(2);
            return;
        }
        row_.add(TransactionIdGetDatum(static_cast<TransactionId>(place)));
        row_.add(Int64GetDatum(*age::age_of(place, holders_.next())));
    }

    void add_ids(const holder_row &one) {
        add_id(one.holder.xid);
        add_id(one.holder.xmin);
        add_id(one.holder.catalog_xmin);
        row_.add(moment_value(one.seen_at));
        row_.add([&] { return since(one.seen_at); });
    }

    void add_hold(const holder_row &one) {
        row_.add([&] { return names_value(last_reach_, reach_of(one.holder)); });
        row_.add([&] { return names_value(last_oldest_, holders_.oldest_names(one)); });
        row_.add(Int64GetDatum(one.gain));
        row_.add(BoolGetDatum(one.blocks_freezing));
    }

    // Holders of one kind say the same, one after the other.
    struct repeated_names {
        std::vector<std::string> names;
        column_value value;
    };
    static column_value names_value(repeated_names &last, std::vector<std::string> names) {
        if (!last.value || last.names != names) {
            last.value = text_array_datum(names);
            last.names = std::move(names);
        }
        return last.value;
    }
    static std::vector<std::string> reach_of(const age::horizon_holder &holder) {
        const std::vector<std::string_view> names = age::reach_names(holder);
        return {names.begin(), names.end()};
    }

    void add_locks(const holder_row &one) {
        const age_process *process = holders_.process_of(one);
        if (process == nullptr || one.tables >= 0) {
            row_.add_nulls(2);
            row_.add(int_value(one.blocked));
            return;
        }
        row_.add(int_value(process->locks_held));
        row_.add([&] {
            return process->strongest_mode == 0
                       ? column_value{}
                       : text_or_null(
                             GetLockmodeName(process->strongest_method, process->strongest_mode));
        });
        row_.add(int_value(one.blocked));
    }

    void add_slot(const holder_row &one) {
        const age_slot *slot = holders_.slot_of(one);
        if (slot == nullptr) {
            row_.add_nulls(3);
            return;
        }
        const auto kept = holders_.wal_kept(one);
        row_.add(kept ? column_value{Int64GetDatum(*kept)} : column_value{});
        row_.add(BoolGetDatum(slot->active_pid != 0));
        row_.add(moment_value(slot->inactive_since));
    }

    FunctionCallInfo call_;
    horizon_holders &holders_;
    constant_texts constants_;
    repeated_names last_reach_;
    repeated_names last_oldest_;
    row_builder<41> row_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_transaction_age) {
    horizon_holders seen;
    age_rows rows(fcinfo, seen);
    for (const holder_row &one : seen.holders())
        rows.put(one);
    seen.release();
    PG_RETURN_NULL();
}
