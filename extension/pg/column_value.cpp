#include "pg/column_value.hpp"

namespace lockstep {

column_value row_place_value(const std::optional<ItemPointerData> &row) {
    if (!row)
        return {};
    const ItemPointerData place = *row;
    return pg_call([place] {
        auto *copy = static_cast<ItemPointer>(palloc(sizeof(ItemPointerData)));
        *copy = place;
        return PointerGetDatum(copy);
    });
}

column_value bigints_value(std::span<const std::int64_t> values) {
    const std::int64_t *first = values.data();
    const int count = static_cast<int>(values.size());
    return pg_call([=] {
        auto *datums = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(count + 1)));
        for (int i = 0; i < count; ++i)
            datums[i] = Int64GetDatum(first[i]);
        return PointerGetDatum(construct_array(datums, count, INT8OID, sizeof(int64),
                                               FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
    });
}

} // namespace lockstep
