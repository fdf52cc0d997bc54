#include "activity/sessions.hpp"

#include "core/words.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

#include <algorithm>
#include <cstring>

namespace lockstep {

namespace {

std::optional<TimestampTz> moment(TimestampTz at) {
    return at == 0 ? std::nullopt : std::optional{at};
}

// A state in the words of pg_stat_activity, and what it means for those who wait.
struct known_state {
    const char *name;
    graph::activity doing;
};

known_state state_of(BackendState state) {
    using graph::activity;
    switch (state) {
    case STATE_IDLE: return {"idle", activity::idle};
    case STATE_RUNNING: return {"active", activity::active};
    case STATE_IDLEINTRANSACTION: return {"idle in transaction", activity::idle_in_transaction};
    case STATE_FASTPATH: return {"fastpath function call", activity::active};
    case STATE_IDLEINTRANSACTION_ABORTED:
        return {"idle in transaction (aborted)", activity::idle_in_transaction};
    case STATE_DISABLED: return {"disabled", activity::unreported};
    default: return {nullptr, activity::unreported};
    }
}

// The words of the graph; what the server calls a "client backend" is just a backend.
const char *kind_name(const lock_process &process, const PgBackendStatus *status) {
    if (process.autovacuum != 0)
        return process.wraparound != 0 ? "autovacuum_wraparound" : "autovacuum";
    switch (status == nullptr ? B_INVALID : status->st_backendType) {
    case B_BACKEND: return "backend";
    case B_BG_WORKER: return "bgworker";
    case B_WAL_SENDER: return "walsender";
    case B_STARTUP: return "startup";
    case B_INVALID: return process.auxiliary != 0 ? "auxiliary" : "backend";
    default: return "auxiliary";
    }
}

// The client's address, as pg_stat_activity has it; nothing for a local socket.
std::optional<Datum> client_address(const PgBackendStatus &status) {
    const SockAddr *address = &status.st_clientaddr;
    const int family = address->addr.ss_family;
    if (family != AF_INET && family != AF_INET6)
        return std::nullopt;
    struct answer {
        bool found;
        Datum value;
    };
    const answer found = pg_call([=] {
        char host[NI_MAXHOST] = "";
        if (pg_getnameinfo_all(&address->addr, static_cast<int>(address->salen), host, sizeof(host),
                               nullptr, 0, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
            return answer{false, 0};
        clean_ipv6_addr(family, host);
        return answer{true, DirectFunctionCall1(inet_in, CStringGetDatum(host))};
    });
    return found.found ? std::optional{found.value} : std::nullopt;
}

std::optional<Datum> vxid_value(const lock_process &process) {
    if (process.prepared != 0 || process.vxid_local == 0)
        return {};
    return text_datum(vxid_text(process.vxid_slot, process.vxid_local).c_str());
}

} // namespace

const char *state_name(BackendState state) {
    return state_of(state).name;
}

void sessions::read_statistics() {
    has_statistics_ = true;
    const int count = pg_call([] { return pgstat_fetch_stat_numbackends(); });
    statuses_.reserve(static_cast<std::size_t>(count));
    for (int i = 1; i <= count; ++i) {
        const PgBackendStatus *status = pg_call([i] { return version::backend_status(i); });
        if (status != nullptr)
            statuses_.emplace_back(status->st_procpid, status);
    }
    std::ranges::sort(statuses_, {}, [](const auto &one) { return one.first; });
}

const PgBackendStatus *sessions::status_of(std::int32_t pid) {
    if (!has_statistics_)
        read_statistics();
    const auto at =
        std::ranges::lower_bound(statuses_, pid, {}, [](const auto &one) { return one.first; });
    return at == statuses_.end() || at->first != pid ? nullptr : at->second;
}

Datum sessions::shared(shared_text &last, const char *raw) {
    if (last.raw == nullptr || std::strcmp(last.raw, raw) != 0) {
        last.raw = raw;
        last.value =
            pg_call([raw] { return PointerGetDatum(cstring_to_text(pgstat_clip_activity(raw))); });
    }
    return last.value;
}

session sessions::describe(const lock_process &process) {
    if (process.prepared != 0)
        return describe_prepared(process);
    const PgBackendStatus *status = status_of(process.pid);
    session one;
    one.kind = kind_name(process, status);
    one.vxid = vxid_value(process);
    one.database = names_.of_database(status == nullptr ? process.database : status->st_databaseid);
    one.user = names_.of_role(status == nullptr ? process.role : status->st_userid);
    if (status == nullptr)
        return one;
    if (status->st_appname != nullptr)
        one.application = shared(last_application_, status->st_appname);
    if (!may_see(status->st_userid)) {
        one.query = text_datum("<insufficient privilege>");
        return one;
    }
    const known_state state = state_of(status->st_state);
    one.doing = state.doing;
    if (state.name != nullptr)
        one.state = text_datum(state.name);
    one.client = client_address(*status);
    const char *query = status->st_activity_raw;
    if (query != nullptr)
        one.query = shared(last_query_, query);
    if (status->st_query_id != 0)
        one.query_id = Int64GetDatum(static_cast<int64>(status->st_query_id));
    one.started = moment(status->st_proc_start_timestamp);
    one.transaction_started = moment(status->st_xact_start_timestamp);
    one.state_since = moment(status->st_state_start_timestamp);
    return one;
}

// One that is being committed or rolled back is no longer listed, and still blocks for an instant.
session sessions::describe_prepared(const lock_process &process) {
    session one;
    // Which one it is may not be known: without the list, or where the server has only told that it
    // is one.
    one.kind = with_names_ && process.xid != InvalidTransactionId ? "finishing" : "prepared";
    one.database = names_.of_database(process.database);
    one.user = names_.of_role(process.role);
    for (const prepared_transaction &listed : prepared())
        if (listed.xid == process.xid) {
            one.kind = "prepared";
            one.gid = listed.gid;
            one.state_since = listed.prepared_at;
        }
    return one;
}

const std::vector<prepared_transaction> &sessions::prepared() {
    if (prepared_)
        return *prepared_;
    prepared_.emplace();
    // To read the list takes a query, and that reads catalogs.
    if (!with_names_)
        return *prepared_;
    const MemoryContext ours = CurrentMemoryContext;
    spi_session session;
    const uint64 rows = query("SELECT transaction, gid, prepared, ownerid, dbid FROM "
                              "pg_catalog.pg_prepared_xact()");
    for (uint64 row = 0; row < rows; ++row) {
        const Datum gid = *cell(row, 2);
        prepared_->push_back({DatumGetTransactionId(*cell(row, 1)), pg_call([ours, gid] {
                                  const MemoryContext before = MemoryContextSwitchTo(ours);
                                  const Datum kept = datumCopy(gid, false, -1);
                                  MemoryContextSwitchTo(before);
                                  return kept;
                              }),
                              DatumGetTimestampTz(*cell(row, 3)), DatumGetObjectId(*cell(row, 4)),
                              DatumGetObjectId(*cell(row, 5))});
    }
    session.finish();
    return *prepared_;
}

bool sessions::may_see(Oid role) {
    if (!with_names_)
        return role == GetUserId();
    const auto [at, fresh] = visible_.try_emplace(role);
    if (fresh)
        at->second =
            may_see_all() || pg_call([role] { return has_privs_of_role(GetUserId(), role); });
    return at->second;
}

bool sessions::may_see_all() const {
    return with_names_ &&
           pg_call([] { return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS); });
}

} // namespace lockstep
