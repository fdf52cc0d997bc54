#include "chunks/queried_keys.hpp"

#include "core/sql_error.hpp"
#include "pg/arrays.hpp"
#include "pg/memory.hpp"
#include "pg/spi.hpp"

#include <optional>
#include <vector>

namespace lockstep {

namespace {

inline namespace guarded {

// Null where the only column is.
char *row_as_text(uint64 row) {
    TupleDesc columns = SPI_tuptable->tupdesc;
    HeapTuple tuple = SPI_tuptable->vals[row];
    if (columns->natts == 1)
        return SPI_getvalue(tuple, columns, 1);
    const Datum whole = heap_copy_tuple_as_datum(tuple, columns);
    return OidOutputFunctionCall(F_RECORD_OUT, whole);
}

// Rows of several columns are written by it.
void bless_columns() {
    TupleDesc columns = SPI_tuptable->tupdesc;
    if (columns->tdtypeid == RECORDOID && columns->tdtypmod < 0)
        assign_record_type_typmod(columns);
}

} // namespace guarded
} // namespace

Datum keys_of_query(const std::string &sql, MemoryContext outside) {
    const uint64 rows = query(sql);
    if (SPI_tuptable == nullptr)
        throw sql_error(state::invalid_parameter_value, "query returns no rows", {},
                        "It is a SELECT of the key's columns.");
    pg_call([] { bless_columns(); });
    const memory_scope scope{outside};
    std::vector<std::optional<Datum>> keys;
    keys.reserve(rows);
    for (uint64 row = 0; row < rows; ++row) {
        check_interrupts();
        struct text {
            bool is_null;
            Datum value;
        };
        const text key = pg_call([row] {
            char *written = row_as_text(row);
            if (written == nullptr)
                return text{true, Datum{0}};
            const text made{false, CStringGetTextDatum(written)};
            pfree(written);
            return made;
        });
        keys.push_back(key.is_null ? std::nullopt : std::optional{key.value});
    }
    return array_of(TEXTOID, keys);
}

} // namespace lockstep
