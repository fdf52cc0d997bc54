#include "store/matching.hpp"

#include "ledger/ledger_cache.hpp"
#include "pg/slots.hpp"

#include <cstddef>

namespace lockstep {

namespace {

struct value_of_row {
    Datum value;
    bool is_null;
};

struct values_of_row : matched_values {
    const ledger *target;
    value_of_row *values; // by match column
};

const values_of_row &whole(const matched_values &base) {
    return static_cast<const values_of_row &>(base);
}

std::string text_of(const match_column &column, const value_of_row &one) {
    return one.is_null ? "null" : shown_value(column.output, one.value);
}

bool are_equal(const ledger &target, const match_column &column, const value_of_row &a,
               const value_of_row &b) {
    if (a.is_null || b.is_null)
        return a.is_null == b.is_null;
    // The operator of a type of the user's is the user's code: the one before may have done
    // anything.
    ledger_cache::require_unchanged(target);
    auto *equals = const_cast<FmgrInfo *>(&column.equals); // the look-up is ours alone
    const Oid collation = column.collation;
    const Datum left = a.value;
    const Datum right = b.value;
    return pg_call([=] { return DatumGetBool(FunctionCall2Coll(equals, collation, left, right)); });
}

std::optional<mismatch> first_mismatch(const matched_values &from, const matched_values &to) {
    const ledger &target = *whole(from).target;
    const auto columns = target.match_columns();
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const value_of_row &gives = whole(from).values[i];
        const value_of_row &takes = whole(to).values[i];
        if (!are_equal(target, columns[i], gives, takes))
            return mismatch{columns[i].name, text_of(columns[i], gives),
                            text_of(columns[i], takes)};
    }
    return std::nullopt;
}

inline namespace guarded {

values_of_row *room_for(const ledger &target) {
    auto *made = static_cast<values_of_row *>(palloc(sizeof(values_of_row)));
    made->first_mismatch = nullptr;
    made->target = &target;
    made->values = static_cast<value_of_row *>(
        palloc(sizeof(value_of_row) * static_cast<Size>(target.match_count)));
    return made;
}

} // namespace guarded
} // namespace

inline namespace guarded {

matched_values *matched_in_slot(const ledger &target, TupleTableSlot *slot) {
    values_of_row *made = room_for(target);
    for (int i = 0; i < target.match_count; ++i)
        made->values[i].value =
            copied_value(slot, target.matches[i].number, &made->values[i].is_null);
    return made;
}

matched_values *matched_in_result(const ledger &target, uint64 row, int first_column) {
    values_of_row *made = room_for(target);
    for (int i = 0; i < target.match_count; ++i) {
        value_of_row &one = made->values[i];
        one.value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, first_column + i,
                                  &one.is_null);
        // The result may be let go of before they are compared.
        if (!one.is_null)
            one.value =
                copied_value(one.value, target.matches[i].by_value, target.matches[i].length);
    }
    return made;
}

} // namespace guarded

const matched_values *comparable(matched_values *read) {
    if (read != nullptr)
        read->first_mismatch = first_mismatch;
    return read;
}

} // namespace lockstep
