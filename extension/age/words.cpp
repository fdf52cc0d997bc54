// What is said of horizon holders, for people to read.
#include "age/horizon_holders.hpp"

#include "pg/values.hpp"

namespace lockstep {

using age::holder_kind;

std::string horizon_holders::database_text(Oid database) {
    if (database == InvalidOid)
        return {};
    const auto name = graph_.database_name(database);
    return name ? std::string{NameStr(*DatumGetName(*name))} : std::to_string(database);
}

std::vector<std::string> horizon_holders::oldest_names(const holder_row &one) {
    std::vector<std::string> names;
    if (one.holder.is_frozen_limit) {
        if (temporary_[static_cast<std::size_t>(one.tables)].is_oldest)
            names.push_back("datfrozenxid of " + database_text(MyDatabaseId));
        return names;
    }
    // What it is the oldest for everywhere is said once.
    const auto add = [&](const age::horizon &line, bool has_all, const char *what) {
        if (has_all && (names.empty() || names.back() != std::string{"all "} + what))
            names.push_back(std::string{"all "} + what);
        if (!has_all)
            names.push_back(
                std::string{what} + " of " +
                (line.database == InvalidOid ? "other databases" : database_text(line.database)));
    };
    for (const age::horizon &line : one.held.oldest_for)
        switch (line.kind) {
        case age::horizon_kind::data: add(line, one.held.has_all_data, "data"); break;
        case age::horizon_kind::catalogs: add(line, one.held.has_all_catalogs, "catalogs"); break;
        case age::horizon_kind::shared_catalogs: names.emplace_back("shared catalogs"); break;
        case age::horizon_kind::subtrans: names.emplace_back("pg_subtrans"); break;
        }
    return names;
}

std::string horizon_holders::label_of(const holder_row &one) const {
    const auto named = [&](const std::string &what) {
        std::string text = what;
        if (one.who.application)
            if (const std::string name = text_of(*one.who.application); !name.empty())
                text += ' ' + name;
        return text;
    };
    const age_process *process = process_of(one);
    const std::string pid = process == nullptr ? "" : std::to_string(process->process.pid);
    switch (one.holder.kind) {
    case holder_kind::prepared:
        return one.who.gid ? "prepared transaction '" + text_of(*one.who.gid) + '\''
                           : "prepared transaction " + std::to_string(process->process.xid);
    case holder_kind::slot_physical: return std::string{"physical slot "} + slot_of(one)->name;
    case holder_kind::slot_logical: return std::string{"logical slot "} + slot_of(one)->name;
    case holder_kind::temp_table: {
        const temp_tables &all = temporary_[static_cast<std::size_t>(one.tables)];
        const std::string what = std::to_string(all.count) +
                                 (all.count == 1 ? " temporary table" : " temporary tables") +
                                 " in " + all.schema_name;
        return process == nullptr ? what + " of a session that is gone"
                                  : named(what + " of session " + pid);
    }
    case holder_kind::primary_transaction: return "a transaction on the primary";
    case holder_kind::parallel_worker: return named("parallel worker " + pid);
    case holder_kind::background_worker: return named("background worker " + pid);
    case holder_kind::autovacuum: return "autovacuum " + pid;
    case holder_kind::walsender_feedback:
        return named("feedback of standby") + ", walsender " + pid;
    case holder_kind::walsender: return named("walsender " + pid);
    default: return named("session " + pid);
    }
}

} // namespace lockstep
