// lockstep.lock_rows and lockstep.lock_all: rows locked in canonical order.
#include "locking/lock_sets.hpp"
#include "locking/row_locks.hpp"
#include "pg/arrays.hpp"
#include "pg/call_memory.hpp"
#include "pg/row_datum.hpp"
#include "pg/rows.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

#include <string>
#include <vector>

using namespace lockstep;

namespace {

constexpr std::size_t most_word_bytes = 64;

lock_strength strength_argument(const std::string &word) {
    const auto strength = strength_of(word);
    if (!strength)
        throw sql_error(state::invalid_parameter_value, "unknown strength \"" + word + "\"", {},
                        "It is key share, share, no key update, or update.");
    return *strength;
}

lock_wait wait_argument(FunctionCallInfo fcinfo, int number) {
    const std::string word = text_argument(fcinfo, number, "wait", most_word_bytes);
    const auto wait = wait_of(word);
    if (!wait)
        throw sql_error(state::invalid_parameter_value, "unknown wait \"" + word + "\"", {},
                        "It is block, nowait, or skip.");
    return *wait;
}

// The keys are given back as they came: rows of no named type would have columns that the statement
// does not know.
void require_known_columns(Oid keys) {
    if (keys == RECORDARRAYOID)
        throw sql_error(state::feature_not_supported, "keys that are rows need a named type", {},
                        "Give each as the text of a row, as a jsonb object, or as a row of a named "
                        "type.");
}

inline namespace guarded {

// A row is a row of the set, with its columns.
void put_key(FunctionCallInfo fcinfo, Datum key, Oid type) {
    const auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    bool is_null = false;
    if (!type_is_rowtype(type)) {
        tuplestore_putvalues(result->setResult, result->setDesc, &key, &is_null);
        return;
    }
    const row_parts parts = take_apart(DatumGetHeapTupleHeader(key));
    if (parts.columns->natts != result->setDesc->natts)
        elog(ERROR, "key has %d columns, %d were expected", parts.columns->natts,
             result->setDesc->natts);
    tuplestore_putvalues(result->setResult, result->setDesc, parts.values, parts.nulls);
    release(parts);
}

} // namespace guarded

[[noreturn]] void refuse_set(std::size_t number, const char *what) {
    throw sql_error(state::null_value_not_allowed, std::string{what} + " of set " +
                                                       std::to_string(number + 1) +
                                                       " must not be null");
}

// An element of sets, lockstep.lock_set: relation, keys, strength.
lock_set set_from(Datum value, std::size_t number) {
    struct fields {
        bool nulls[3];
        Datum table;
        Datum keys;
        Datum strength;
    };
    const fields found = pg_call([value] {
        const row_parts parts = take_apart(DatumGetHeapTupleHeader(value));
        const fields copy{{parts.nulls[0], parts.nulls[1], parts.nulls[2]},
                          parts.values[0],
                          parts.values[1],
                          parts.values[2]};
        release(parts);
        return copy;
    });
    if (found.nulls[0])
        refuse_set(number, "relation");
    if (found.nulls[1])
        refuse_set(number, "keys");
    const lock_strength strength =
        found.nulls[2] ? lock_strength::no_key_update : strength_argument(text_of(found.strength));
    const array_elements keys = array_elements_of(found.keys, "keys");
    require_no_nulls(keys, "keys");
    return {DatumGetObjectId(found.table), keys, strength};
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_lock_rows) {
    if (argument(fcinfo, 1))
        require_known_columns(pg_call([=] { return get_fn_expr_argtype(fcinfo->flinfo, 1); }));
    pg_call([=] { InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC); });
    const call_memory memory;
    spi_session session;
    memory.enter();
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "relation"));
    const array_elements given = array_argument(fcinfo, 1, "keys");
    require_no_nulls(given, "keys");
    const lock_strength strength =
        strength_argument(text_argument(fcinfo, 2, "strength", most_word_bytes));
    const lock_wait wait = wait_argument(fcinfo, 3);
    table_use use{table, names_argument(fcinfo, 4, "key_columns")};
    const call_vector<Datum> keys = use.keys_from(given.values, given.type, "key");
    const row_numbers numbers = number_keys_of(use.table().key, keys);
    call_vector<Datum> ordered;
    for (const std::uint32_t place : numbers.place_of)
        ordered.push_back(keys[place]);
    const call_vector<bool> locked = lock_rows(use, ordered, strength, wait);
    use.close();

    const Oid type = given.type;
    for (std::size_t i = 0; i < ordered.size(); ++i)
        if (locked[i]) {
            const Datum key = given.values[numbers.place_of[i]];
            pg_call([=] { put_key(fcinfo, key, type); });
        }
    session.finish();
    return Datum{0};
}

LOCKSTEP_FUNCTION(lockstep_lock_all) {
    using result_rows = row_builder<2>;
    result_rows::open_set(fcinfo);
    const call_memory memory;
    spi_session session;
    memory.enter();
    const array_elements given = array_argument(fcinfo, 0, "sets");
    require_no_nulls(given, "sets");
    const lock_wait wait = wait_argument(fcinfo, 1);
    std::vector<lock_set> sets;
    for (std::size_t i = 0; i < given.values.size(); ++i)
        sets.push_back(set_from(given.values[i], i));

    result_rows row;
    for (const asked_key &one : lock_all(sets, wait)) {
        row.add(ObjectIdGetDatum(sets[one.set].table));
        row.add(sets[one.set].keys.values[one.item]);
        row.append(fcinfo);
    }
    session.finish();
    return Datum{0};
}
