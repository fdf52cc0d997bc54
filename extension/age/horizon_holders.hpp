// Everything about ages at one instant that the views show: who holds what, what ending each would
// free, who waits for it, how bad it is, what to do. One is made for each call and thrown away with
// it.
#pragma once

#include "age/instant.h"
#include "age/temp_tables.hpp"
#include "core/age/horizons.hpp"
#include "core/age/judge.hpp"
#include "lock_graph/wait_for_graph.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lockstep {

struct holder_row {
    age::horizon_holder holder;
    age::holding held;
    std::int32_t process = -1; // index in the instant
    std::int32_t slot = -1;    // index in the instant
    std::int32_t tables = -1;  // index in temporary()
    session who;               // of a slot: who uses it; of temporary tables: whose they are
    bool is_reported = false;  // of a session: the statistics know it
    bool is_member = false;    // of a parallel query that another one leads
    std::int32_t blocked = 0;  // sessions that wait for it
    std::int64_t gain = 0;     // transactions
    std::optional<TimestampTz> seen_at; // when what it holds had been assigned, by the history
    age::finding found;
    bool blocks_freezing = false;
    std::string waits_for; // for whom it waits itself; empty: for nobody
    std::string advice;    // empty where all is well
    std::string action;    // empty where nothing is to be done

    [[nodiscard]] age::xid_place oldest() const { return holder.oldest(); }
};

class horizon_holders {
  public:
    horizon_holders();
    // Lets go of the catalogs; the end of every call that made one.
    void release() { graph_.release(); }

    [[nodiscard]] const age_instant &now() const { return now_; }
    [[nodiscard]] age::xid_place next() const { return next_; }
    [[nodiscard]] const age::limits &limits() const { return limits_; }
    // Worst first, then oldest first.
    [[nodiscard]] const std::vector<holder_row> &holders() const { return holders_; }
    [[nodiscard]] const std::vector<temp_tables> &temporary() const { return temporary_; }
    [[nodiscard]] catalogs &names() { return graph_.names(); }

    [[nodiscard]] const age_process *process_of(const holder_row &one) const {
        return one.process < 0 ? nullptr : &now_.processes[one.process];
    }
    [[nodiscard]] const age_slot *slot_of(const holder_row &one) const {
        return one.slot < 0 ? nullptr : &now_.slots[one.slot];
    }
    // The database by name, or by OID where names cannot be read; empty for none.
    [[nodiscard]] std::string database_text(Oid database);
    [[nodiscard]] std::optional<Datum> database_name(Oid database) {
        return graph_.database_name(database);
    }
    // The horizons that it is the oldest for, by name.
    [[nodiscard]] std::vector<std::string> oldest_names(const holder_row &one);
    // Short for people: "session 4711 shop", "prepared 'x'", "slot s".
    [[nodiscard]] std::string label_of(const holder_row &one) const;
    // How long by the rule for its kind: idle, running, prepared, held.
    [[nodiscard]] std::optional<std::int64_t> lasts(const holder_row &one) const;
    // When its transaction began; of a prepared one the server knows when it was prepared.
    [[nodiscard]] std::optional<TimestampTz> began(const holder_row &one) const {
        return one.holder.kind == age::holder_kind::prepared ? one.who.state_since
                                                             : one.who.transaction_started;
    }
    // Whether a standby is behind it.
    [[nodiscard]] static bool is_of_standby(const holder_row &one) {
        return one.holder.kind == age::holder_kind::slot_physical ||
               one.holder.kind == age::holder_kind::walsender_feedback;
    }
    // Bytes of WAL that a slot keeps; nothing where it keeps none, or there is no slot.
    [[nodiscard]] std::optional<std::int64_t> wal_kept(const holder_row &one) const;
    // The one that keeps a database from getting younger: the oldest of all, for shared catalogs
    // belong to every database, or its own temporary tables.
    [[nodiscard]] const holder_row *top_of(Oid database) const;
    // How many keep it older than that.
    [[nodiscard]] std::int32_t holding_back(Oid database, std::int64_t age) const;

  private:
    void add_processes();
    void add_primary();
    void add_slots();
    void add_temporary();
    void find_blocked();
    [[nodiscard]] age::xid_place place_of(const holder_row &one, Oid database) const;
    void find_waits(holder_row &one, std::int32_t node);
    void assess(holder_row &one);
    void advise(holder_row &one);
    [[nodiscard]] std::string action_of(const holder_row &one);

    const age_instant &now_; // first: our own locks on catalogs are not yet among those counted
    wait_for_graph graph_;
    age::xid_place next_;
    age::limits limits_;
    std::vector<holder_row> holders_;
    std::vector<temp_tables> temporary_;
    std::vector<std::optional<graph::verdict>> blocking_; // by holder, before they are sorted
};

} // namespace lockstep
