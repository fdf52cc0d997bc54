#include "ledger/registration.hpp"

#include "core/sql_error.hpp"
#include "pg/arrays.hpp"
#include "pg/catalog.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

#include <array>
#include <cstring>

namespace lockstep {

namespace {

// The columns of lockstep.registration, in the order of the install script.
enum field : std::size_t {
    f_ledger,
    f_journal,
    f_registered_oid,
    f_keys,
    f_amount,
    f_floor_column,
    f_ceiling_column,
    f_version_column,
    f_frozen_column,
    f_match_columns,
    f_positions,
    f_floor,
    f_ceiling,
    f_journal_version,
    f_history,
    f_active,
    field_count
};

// No type: one of lockstep's own, which is as an OID.
constexpr std::array<Oid, field_count> field_types{
    InvalidOid, InvalidOid,   InvalidOid,    NAMEARRAYOID, NAMEOID,    NAMEOID, NAMEOID, NAMEOID,
    NAMEOID,    NAMEARRAYOID, INT2VECTOROID, NUMERICOID,   NUMERICOID, INT4OID, BOOLOID, BOOLOID};

constexpr bool may_be_null(std::size_t which) {
    return (which >= f_floor_column && which <= f_match_columns) || which == f_floor ||
           which == f_ceiling;
}

struct raw_row {
    bool found;
    bool disputed;
    std::array<Datum, field_count> values;
    std::array<bool, field_count> nulls;
};

inline namespace guarded {

// Another version of the extension may have another table; and its owner may have changed it.
bool is_as_installed(TupleDesc columns) {
    if (columns->natts < static_cast<int>(field_count))
        return false;
    for (std::size_t i = 0; i < field_count; ++i) {
        const Form_pg_attribute one = TupleDescAttr(columns, static_cast<int>(i));
        const bool has_type = OidIsValid(field_types[i])
                                  ? one->atttypid == field_types[i]
                                  : one->attbyval && one->attlen == sizeof(Oid);
        if (!has_type || (!one->attnotnull && !may_be_null(i)))
            return false;
    }
    return true;
}

Oid oid_in(const raw_row &row, field which) {
    return DatumGetObjectId(row.values[which]);
}

bool is_registered_here(const raw_row &row) {
    return oid_in(row, f_registered_oid) == oid_in(row, f_ledger);
}

bool say_the_same(const raw_row &one, const raw_row &other, TupleDesc columns) {
    for (std::size_t i = f_journal; i < field_count; ++i) {
        if (i == f_registered_oid || i == f_positions)
            continue;
        const Form_pg_attribute column = TupleDescAttr(columns, static_cast<int>(i));
        if (one.nulls[i] != other.nulls[i] ||
            (!one.nulls[i] &&
             !datum_image_eq(one.values[i], other.values[i], column->attbyval, column->attlen)))
            return false;
    }
    return true;
}

// Of the rows of one ledger, the one that counts.
void weigh(raw_row &counts, const raw_row &next, TupleDesc columns) {
    const bool is_better = counts.found && is_registered_here(next) && !is_registered_here(counts);
    if (!counts.found || is_better)
        counts = next;
    else if (is_registered_here(next) == is_registered_here(counts))
        counts.disputed = counts.disputed || !say_the_same(counts, next, columns);
}

// A scan by one OID column, newest committed state. Without an index it reads the whole table.
SysScanDesc begin_scan(Relation registrations, field by, Oid value) {
    if (!is_as_installed(RelationGetDescr(registrations)))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the lockstep module and its SQL objects differ in version"),
                        errhint("Run ALTER EXTENSION lockstep UPDATE.")));
    const Oid index =
        get_relname_relid(by == f_ledger ? "registration_by_ledger" : "registration_by_journal",
                          RelationGetNamespace(registrations));
    ScanKeyData key;
    ScanKeyInit(&key, static_cast<AttrNumber>(by + 1), BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(value));
    // No snapshot given: the scan takes a fresh one.
    return systable_beginscan(registrations, index, OidIsValid(index), nullptr, 1, &key);
}

raw_row row_of_ledger(Relation registrations, Oid ledger) {
    const TupleDesc columns = RelationGetDescr(registrations);
    raw_row counts{};
    SysScanDesc scan = begin_scan(registrations, f_ledger, ledger);
    while (HeapTuple tuple = systable_getnext(scan)) {
        raw_row next{};
        next.found = true;
        // A copy in the caller's memory: the values point into it.
        tuple = heap_copytuple(tuple);
        for (std::size_t i = 0; i < field_count; ++i)
            next.values[i] = heap_getattr(tuple, static_cast<int>(i) + 1, columns, &next.nulls[i]);
        weigh(counts, next, columns);
    }
    systable_endscan(scan);
    return counts;
}

struct journal_owner {
    bool found;
    Oid ledger; // none where that is not known any more
};

// By the rows that count: what a restore has brought beside them names no journal.
journal_owner owner_of_journal(Relation registrations, Oid journal) {
    journal_owner owner{};
    SysScanDesc scan = begin_scan(registrations, f_journal, journal);
    while (HeapTuple tuple = systable_getnext(scan)) {
        bool is_null = false;
        const Oid ledger = DatumGetObjectId(
            heap_getattr(tuple, f_ledger + 1, RelationGetDescr(registrations), &is_null));
        if (OidIsValid(ledger)) {
            if (oid_in(row_of_ledger(registrations, ledger), f_journal) != journal)
                continue;
            owner.ledger = ledger;
        }
        owner.found = true;
    }
    systable_endscan(scan);
    return owner;
}

} // namespace guarded

journal_owner owner_of_journal(Oid journal) {
    const Oid table = registration_table();
    return pg_call([=] {
        Relation registrations = table_open(table, AccessShareLock);
        const journal_owner owner = owner_of_journal(registrations, journal);
        table_close(registrations, AccessShareLock);
        return owner;
    });
}

raw_row row_of_ledger(Oid ledger) {
    const Oid table = registration_table();
    return pg_call([=] {
        Relation registrations = table_open(table, AccessShareLock);
        const raw_row row = row_of_ledger(registrations, ledger);
        table_close(registrations, AccessShareLock);
        return row;
    });
}

void set_name(registered_column &one, const raw_row &row, field which) {
    if (!row.nulls[which])
        std::memcpy(one.name, NameStr(*DatumGetName(row.values[which])), NAMEDATALEN);
}

std::vector<registered_column> names_of(Datum names) {
    struct elements {
        Datum *values;
        int count;
    };
    const elements found = pg_call([names] {
        elements all{};
        deconstruct_array(DatumGetArrayTypeP(names), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
                          &all.values, nullptr, &all.count);
        return all;
    });
    std::vector<registered_column> columns(static_cast<std::size_t>(found.count));
    for (std::size_t i = 0; i < columns.size(); ++i)
        std::memcpy(columns[i].name, NameStr(*DatumGetName(found.values[i])), NAMEDATALEN);
    return columns;
}

std::optional<Datum> name_or_null(const registered_column &one) {
    if (!one.exists())
        return std::nullopt;
    return CStringGetDatum(one.name);
}

std::optional<Datum> numeric_or_null(const std::optional<money> &amount) {
    if (!amount)
        return std::nullopt;
    return numeric_from_money(*amount);
}

void run_once(const std::string &sql, std::initializer_list<Oid> types,
              const spi_parameters &parameters) {
    SPIPlanPtr plan = prepare_kept(sql.c_str(), {types.begin(), types.size()});
    execute(plan, parameters);
    pg_call([plan] { SPI_freeplan(plan); });
}

} // namespace

std::optional<registration> find_registration(Oid ledger) {
    const raw_row row = row_of_ledger(ledger);
    if (!row.found)
        return std::nullopt;

    registration found{};
    found.ledger = ledger;
    found.journal = DatumGetObjectId(row.values[f_journal]);
    found.key = names_of(row.values[f_keys]);
    if (found.key.empty() || found.key.size() > INDEX_MAX_KEYS)
        throw sql_error(state::prerequisite_state, "the registration of a ledger names no key",
                        "The table lockstep.registration was changed by hand.");
    const std::array<registered_column *, 5> others{&found.amount, &found.floor_column,
                                                    &found.ceiling_column, &found.version_column,
                                                    &found.frozen_column};
    for (std::size_t i = 0; i < others.size(); ++i)
        set_name(*others[i], row, static_cast<field>(f_amount + i));
    if (!row.nulls[f_match_columns])
        found.match = names_of(row.values[f_match_columns]);
    // In another table than the registered one (a restored dump's) positions mean nothing.
    if (DatumGetObjectId(row.values[f_registered_oid]) == ledger) {
        std::vector<registered_column *> columns;
        for (registered_column &one : found.key)
            columns.push_back(&one);
        columns.insert(columns.end(), others.begin(), others.end());
        for (registered_column &one : found.match)
            columns.push_back(&one);
        const auto *positions =
            reinterpret_cast<const int2vector *>(DatumGetPointer(row.values[f_positions]));
        for (std::size_t i = 0; i < columns.size() && static_cast<int>(i) < positions->dim1; ++i)
            columns[i]->position = positions->values[i];
    }
    if (!row.nulls[f_floor])
        found.floor = money_from_numeric(row.values[f_floor], "floor");
    if (!row.nulls[f_ceiling])
        found.ceiling = money_from_numeric(row.values[f_ceiling], "ceiling");
    found.journal_version = DatumGetInt32(row.values[f_journal_version]);
    found.history = DatumGetBool(row.values[f_history]);
    found.active = DatumGetBool(row.values[f_active]);
    found.disputed = row.disputed;
    return found;
}

registration registration_of_ledger(Relation table) {
    const auto found = find_registration(RelationGetRelid(table));
    if (!found || !found->active)
        throw sql_error(state::not_a_ledger, "table \"" + shown_name(table) + "\" is not a ledger",
                        {}, "Call lockstep.register_ledger to register it.");
    if (found->disputed)
        throw needs_registration(
            state::not_a_ledger,
            "table \"" + shown_name(table) + "\" has several registrations, which differ",
            "They come from dumps of different times, or of different databases.",
            "Call lockstep.register_ledger to say which one it is.");
    return *found;
}

bool is_journal(Oid table) {
    return owner_of_journal(table).found;
}

Oid ledger_of_journal(Oid journal) {
    const Oid ledger = owner_of_journal(journal).ledger;
    return relation_exists(ledger) ? ledger : InvalidOid;
}

void save_registration(const registration &row) {
    spi_session session;
    spi_parameters ledger;
    ledger.add(ObjectIdGetDatum(row.ledger));
    run_once("DELETE FROM lockstep.registration AS r WHERE (r.ledger OPERATOR(pg_catalog.=) $1 "
             "AND r.registered_oid OPERATOR(pg_catalog.<>) r.ledger) OR NOT EXISTS (SELECT FROM "
             "pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) r.ledger)",
             {OIDOID}, ledger);

    std::vector<int16> positions;
    const auto names_and_positions = [&positions](const std::vector<registered_column> &columns) {
        std::vector<std::optional<Datum>> names;
        for (const registered_column &one : columns) {
            positions.push_back(one.position);
            names.emplace_back(CStringGetDatum(one.name));
        }
        return names;
    };
    const auto keys = names_and_positions(row.key);
    for (const auto *one : {&row.amount, &row.floor_column, &row.ceiling_column,
                            &row.version_column, &row.frozen_column})
        positions.push_back(one->position);
    const auto matches = names_and_positions(row.match);
    const int16 *first = positions.data();
    const auto count = static_cast<int>(positions.size());
    spi_parameters values;
    values.add(ObjectIdGetDatum(row.ledger));
    values.add(ObjectIdGetDatum(row.journal));
    values.add(array_of(NAMEOID, keys));
    values.add(name_or_null(row.amount));
    values.add(name_or_null(row.floor_column));
    values.add(name_or_null(row.ceiling_column));
    values.add(name_or_null(row.version_column));
    values.add(name_or_null(row.frozen_column));
    values.add(matches.empty() ? std::nullopt : std::optional{array_of(NAMEOID, matches)});
    values.add(pg_call([=] { return PointerGetDatum(buildint2vector(first, count)); }));
    values.add(numeric_or_null(row.floor));
    values.add(numeric_or_null(row.ceiling));
    values.add(Int32GetDatum(row.journal_version));
    values.add(BoolGetDatum(row.history));
    values.add(BoolGetDatum(row.active));
    run_once(
        "INSERT INTO lockstep.registration AS r (ledger, journal, registered_oid, key_columns, "
        "amount_column, floor_column, ceiling_column, version_column, frozen_column, "
        "match_columns, column_positions, floor, ceiling, journal_version, history, active) "
        "VALUES ($1, $2, $1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
        "ON CONFLICT (ledger) WHERE ledger OPERATOR(pg_catalog.=) registered_oid "
        "AND ledger OPERATOR(pg_catalog.<>) 0::pg_catalog.oid DO UPDATE SET "
        "(journal, registered_oid, key_columns, "
        "amount_column, floor_column, ceiling_column, version_column, frozen_column, "
        "match_columns, column_positions, floor, ceiling, journal_version, history, active) = "
        "ROW(excluded.journal, "
        "excluded.registered_oid, excluded.key_columns, excluded.amount_column, "
        "excluded.floor_column, excluded.ceiling_column, excluded.version_column, "
        "excluded.frozen_column, excluded.match_columns, excluded.column_positions, "
        "excluded.floor, "
        "excluded.ceiling, excluded.journal_version, excluded.history, excluded.active)",
        {OIDOID, OIDOID, NAMEARRAYOID, NAMEOID, NAMEOID, NAMEOID, NAMEOID, NAMEOID, NAMEARRAYOID,
         INT2VECTOROID, NUMERICOID, NUMERICOID, INT4OID, BOOLOID, BOOLOID},
        values);
    session.finish();
}

void delete_registration(Oid ledger) {
    spi_session session;
    spi_parameters values;
    values.add(ObjectIdGetDatum(ledger));
    run_once("DELETE FROM lockstep.registration AS r WHERE r.ledger OPERATOR(pg_catalog.=) $1",
             {OIDOID}, values);
    session.finish();
}

Oid registration_owner() {
    const Oid table = registration_table();
    return pg_call([table] {
        Relation registrations = table_open(table, AccessShareLock);
        const Oid owner = registrations->rd_rel->relowner;
        table_close(registrations, AccessShareLock);
        return owner;
    });
}

} // namespace lockstep
