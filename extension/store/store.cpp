#include "store/store.hpp"

#include "core/sql_error.hpp"
#include "pg/numerics.hpp"
#include "pg/values.hpp"
#include "store/choice.hpp"
#include "store/heap_store.hpp"
#include "store/spi_store.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace lockstep {

namespace {

template <class Whole>
bool holds(std::int64_t value) {
    return value >= std::numeric_limits<Whole>::min() && value <= std::numeric_limits<Whole>::max();
}

// With all the decimals of its column, also where money has not the digits for all of them.
Datum column_numeric(const amount_type &type, money amount) {
    const std::optional<money> wanted{amount};
    Datum made{0};
    make_numerics({&wanted, 1}, {&made, 1});
    if (!type.has_limits || amount.scale() == std::max(type.scale, 0))
        return made;
    const int32 typmod =
        ((type.precision << 16) | (type.scale & 0x7ff)) + static_cast<int32>(VARHDRSZ);
    return pg_call([=] { return DirectFunctionCall2(numeric, made, Int32GetDatum(typmod)); });
}

} // namespace

std::unique_ptr<store> store_for(const ledger &in) {
    if (is_served_by_heap(in))
        return std::make_unique<heap_store>(in);
    return statements_for(in);
}

std::unique_ptr<store> statements_for(const ledger &in) {
    return std::make_unique<spi_store>(in);
}

std::vector<std::int64_t> next_entries(const ledger &in, std::size_t count) {
    std::vector<std::int64_t> entries(count);
    const Oid sequence = in.booked.entry_sequence;
    std::int64_t *out = entries.data();
    pg_call([=] {
        for (std::size_t i = 0; i < count; ++i) {
            CHECK_FOR_INTERRUPTS();
            out[i] = nextval_internal(sequence, false);
        }
    });
    return entries;
}

Datum amount_datum(const ledger &in, money amount) {
    if (in.amount.stored == amount_type::kind::numeric)
        return column_numeric(in.amount, amount);
    const auto units = amount.as_int64();
    switch (in.amount.stored) {
    case amount_type::kind::int16: return Int16GetDatum(static_cast<int16>(*units));
    case amount_type::kind::int32: return Int32GetDatum(static_cast<int32>(*units));
    default: return Int64GetDatum(*units);
    }
}

Datum version_datum(const ledger &in, Datum key, std::int64_t version) {
    const Oid type = in.column_of(row_column::version).type;
    const bool fits = type == INT2OID   ? holds<std::int16_t>(version)
                      : type == INT4OID ? holds<std::int32_t>(version)
                                        : true;
    if (!fits)
        throw sql_error(state::numeric_value_out_of_range,
                        "version of row " + key_text(in.key, key) + " of ledger \"" + in.name +
                            "\" is out of range");
    switch (type) {
    case INT2OID: return Int16GetDatum(static_cast<int16>(version));
    case INT4OID: return Int32GetDatum(static_cast<int32>(version));
    default: return Int64GetDatum(version);
    }
}

} // namespace lockstep
