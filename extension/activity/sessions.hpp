// What is known of a process or a prepared transaction beside its locks: who it is, what it does.
// It is what pg_stat_activity and pg_prepared_xacts show, by the same rules of who may see what;
// and as there, within one transaction the first look is kept.
#pragma once

#include "activity/shared_names.hpp"
#include "pg/boundary.hpp"

#include "core/graph/advice.hpp"
#include "core/graph/lock_snapshot.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

struct prepared_transaction {
    TransactionId xid;
    Datum gid; // text
    TimestampTz prepared_at;
    Oid owner;
    Oid database;
};

// Everything of one process that a result shows, ready to be put into rows. Nothing is null for
// "not known" or "not for this caller".
struct session {
    const char *kind = "";
    std::optional<Datum> gid;
    std::optional<Datum> database; // name
    std::optional<Datum> user;     // name
    std::optional<Datum> application;
    std::optional<Datum> client; // inet
    std::optional<Datum> vxid;
    std::optional<Datum> state;
    std::optional<Datum> query;
    std::optional<Datum> query_id;
    std::optional<TimestampTz> started;
    std::optional<TimestampTz> transaction_started;
    std::optional<TimestampTz> state_since;
    graph::activity doing = graph::activity::hidden;

    [[nodiscard]] bool is_hidden() const { return doing == graph::activity::hidden; }
    [[nodiscard]] bool is_active() const { return doing == graph::activity::active; }
};

// In the words of pg_stat_activity; null where it has none.
[[nodiscard]] const char *state_name(BackendState state);

class sessions {
  public:
    // Names are looked up in the catalogs only where `with_names` says that no lock on them would
    // have to be waited for.
    explicit sessions(bool with_names) : with_names_(with_names), names_(with_names) {}

    [[nodiscard]] session describe(const lock_process &process);

    // The prepared transactions; read when they are first asked for.
    [[nodiscard]] const std::vector<prepared_transaction> &prepared();

    [[nodiscard]] std::optional<Datum> database_name(Oid database) {
        return names_.of_database(database);
    }
    [[nodiscard]] std::optional<Datum> role_name(Oid role) { return names_.of_role(role); }

    // Whether the caller may see what sessions of the role do.
    [[nodiscard]] bool may_see(Oid role);
    // Whether the caller may see what sessions of every role do.
    [[nodiscard]] bool may_see_all() const;

    // What the statistics say of a process; null where they know none of that pid. They are read
    // when somebody is first asked for, those of all at once.
    [[nodiscard]] const PgBackendStatus *status_of(std::int32_t pid);

  private:
    void read_statistics();
    [[nodiscard]] session describe_prepared(const lock_process &process);

    // A text of the statistics as a value. Sessions that wait for one thing often say the same.
    struct shared_text {
        const char *raw = nullptr;
        Datum value = 0;
    };
    [[nodiscard]] static Datum shared(shared_text &last, const char *raw);

    bool with_names_;
    bool has_statistics_ = false;
    shared_names names_;
    shared_text last_application_;
    shared_text last_query_;
    std::vector<std::pair<std::int32_t, const PgBackendStatus *>> statuses_; // by pid, upwards
    std::optional<std::vector<prepared_transaction>> prepared_;
    std::map<Oid, bool> visible_;
};

} // namespace lockstep
