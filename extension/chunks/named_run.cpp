#include "chunks/named_run.hpp"

#include "core/sql_error.hpp"
#include "pg/catalog.hpp"
#include "pg/digest.hpp"
#include "pg/kept_plans.hpp"
#include "pg/role.hpp"
#include "pg/values.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace lockstep {

namespace {

Oid table_of_runs() {
    return pg_call([] {
        const Oid table = get_relname_relid("chunk_runs", get_namespace_oid("lockstep", false));
        if (!OidIsValid(table))
            ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                            errmsg("relation \"lockstep.chunk_runs\" does not exist"),
                            errhint("CREATE EXTENSION lockstep makes it.")));
        return table;
    });
}

// Runs one statement on the table as its owner, in the open SPI session.
uint64 run_as_owner(const std::string &sql, std::span<const Oid> types,
                    const spi_parameters &values) {
    const Oid table = table_of_runs();
    struct found {
        bool here;
        Oid owner;
    };
    const found row = pg_call([table] {
        HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
        if (!HeapTupleIsValid(tuple))
            return found{};
        const found copy{true, reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner};
        ReleaseSysCache(tuple);
        return copy;
    });
    if (!row.here)
        throw sql_error(state::undefined_table, "relation \"lockstep.chunk_runs\" does not exist");
    as_role owner{row.owner};
    const uint64 rows = execute_kept(sql, types, values, table);
    owner.leave();
    return rows;
}

Datum bytes_datum(std::span<const std::uint8_t> bytes) {
    const auto *first = reinterpret_cast<const char *>(bytes.data());
    const auto length = static_cast<int>(bytes.size());
    return pg_call([=] { return PointerGetDatum(cstring_to_text_with_len(first, length)); });
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

constexpr char of_this_run[] = " WHERE role OPERATOR(pg_catalog.=) $1 AND name "
                               "OPERATOR(pg_catalog.=) $2";

spi_parameters run_key(const std::string &role, const std::string &name) {
    const char *const text = role.c_str();
    spi_parameters key;
    key.add(pg_call([text] { return DirectFunctionCall1(namein, CStringGetDatum(text)); }));
    key.add(text_datum(name.c_str()));
    return key;
}

[[noreturn]] void refuse_other(const std::string &name, const char *what) {
    throw sql_error(state::request_id_reused, "run \"" + name + "\" was begun with other content",
                    std::string{"Its "} + what + ".",
                    "Give the same to go on with it; or another name, or forget that run by "
                    "lockstep.forget_chunk_run().");
}

bool is_true(uint64 row, int column) {
    return DatumGetBool(cell(row, column).value_or(BoolGetDatum(false)));
}

std::int64_t number(uint64 row, int column) {
    return DatumGetInt64(cell(row, column).value_or(Int64GetDatum(0)));
}

} // namespace

run_content content_of(std::string relation, const key_list &keys, const std::string &statement,
                       const text_parameters &params) {
    std::string all;
    for (const auto &one : params)
        all += one ? std::to_string(one->size()) + ":" + *one : std::string{"null,"};
    return {std::move(relation), static_cast<std::int64_t>(keys.size()),
            sha1(bytes_of(statement), {}), sha1(bytes_of(all), {}),
            sha1(keys.bytes(), keys.ends())};
}

named_run::named_run(std::string name) : role_(role_name(GetUserId())), name_(std::move(name)) {}

std::int64_t named_run::open(const run_content &content) {
    static constexpr std::array<Oid, 7> types{NAMEOID,  TEXTOID,  TEXTOID, INT8OID,
                                              BYTEAOID, BYTEAOID, BYTEAOID};
    spi_parameters values = run_key(role_, name_);
    values.add(text_datum(content.relation.c_str()));
    values.add(Int64GetDatum(content.keys));
    values.add(bytes_datum(content.statement_digest));
    values.add(bytes_datum(content.params_digest));
    values.add(bytes_datum(content.keys_digest));
    run_as_owner("INSERT INTO lockstep.chunk_runs (role, name, relation, keys_total, "
                 "statement_digest, params_digest, keys_digest, finished_at) "
                 "VALUES ($1, $2, $3, $4, $5, $6, $7, CASE $4 WHEN 0 THEN "
                 "pg_catalog.clock_timestamp() END) ON CONFLICT (role, name) DO NOTHING",
                 types, values);
    const uint64 rows =
        run_as_owner("SELECT keys_done, finished_at, relation OPERATOR(pg_catalog.=) $3, "
                     "keys_total OPERATOR(pg_catalog.=) $4 AND keys_digest "
                     "OPERATOR(pg_catalog.=) $7, statement_digest OPERATOR(pg_catalog.=) $5, "
                     "params_digest OPERATOR(pg_catalog.=) $6 FROM lockstep.chunk_runs" +
                         std::string{of_this_run},
                     types, values);
    if (rows != 1) // forgotten between the two
        throw sql_error(state::object_in_use, "run \"" + name_ + "\" was forgotten meanwhile");
    if (!is_true(0, 3))
        refuse_other(name_, "relation differs");
    if (!is_true(0, 4))
        refuse_other(name_, "keys differ");
    if (!is_true(0, 5))
        refuse_other(name_, "statement differs");
    if (!is_true(0, 6))
        refuse_other(name_, "params differ");
    if (const auto at = cell(0, 2))
        finished_at_ = DatumGetTimestampTz(*at);
    return number(0, 1);
}

void named_run::take(std::int64_t done) const {
    static constexpr std::array<Oid, 2> types{NAMEOID, TEXTOID};
    const uint64 rows =
        run_as_owner("SELECT keys_done FROM lockstep.chunk_runs" + std::string{of_this_run} +
                         " FOR NO KEY UPDATE SKIP LOCKED",
                     types, run_key(role_, name_));
    if (rows == 1 && number(0, 1) == done)
        return;
    throw sql_error(
        state::object_in_use,
        rows == 1 ? "run \"" + name_ + "\" was carried on by another session"
                  : "run \"" + name_ + "\" is carried on by another session, or was forgotten",
        {}, "A run is one session's at a time; lockstep.chunk_runs says how far it is.");
}

void named_run::advance(std::int64_t keys, std::uint64_t rows, std::size_t missing) const {
    static constexpr std::array<Oid, 5> types{NAMEOID, TEXTOID, INT8OID, INT8OID, INT8OID};
    spi_parameters values = run_key(role_, name_);
    values.add(Int64GetDatum(keys));
    values.add(Int64GetDatum(static_cast<std::int64_t>(rows)));
    values.add(Int64GetDatum(static_cast<std::int64_t>(missing)));
    const uint64 updated = run_as_owner(
        "UPDATE lockstep.chunk_runs SET keys_done = keys_done OPERATOR(pg_catalog.+) $3, "
        "chunks = chunks OPERATOR(pg_catalog.+) 1, rows = rows OPERATOR(pg_catalog.+) $4, "
        "missing = missing OPERATOR(pg_catalog.+) $5, "
        "committed_at = pg_catalog.clock_timestamp(), finished_at = CASE keys_total WHEN "
        "keys_done OPERATOR(pg_catalog.+) $3 THEN pg_catalog.clock_timestamp() END" +
            std::string{of_this_run},
        types, values);
    if (updated != 1)
        throw sql_error(state::object_in_use, "run \"" + name_ + "\" was forgotten meanwhile");
}

bool named_run::forget() const {
    static constexpr std::array<Oid, 2> types{NAMEOID, TEXTOID};
    const spi_parameters key = run_key(role_, name_);
    const std::string run = of_this_run;
    if (run_as_owner("SELECT FROM lockstep.chunk_runs" + run, types, key) == 0)
        return false;
    if (run_as_owner("SELECT FROM lockstep.chunk_runs" + run + " FOR UPDATE SKIP LOCKED", types,
                     key) == 0)
        throw sql_error(state::object_in_use,
                        "run \"" + name_ + "\" is carried on by another session");
    return run_as_owner("DELETE FROM lockstep.chunk_runs" + run, types, key) == 1;
}

} // namespace lockstep
