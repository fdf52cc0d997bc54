// The canonical order of keys, and their numbers in it.
#include "core/sql_error.hpp"
#include "pg/row_key.hpp"

#include <numeric>

namespace lockstep {

namespace {

bool is_whole_number(Oid type) {
    return type == INT2OID || type == INT4OID || type == INT8OID;
}

std::int64_t whole_number(Oid type, Datum key) {
    switch (type) {
    case INT2OID: return DatumGetInt16(key);
    case INT4OID: return DatumGetInt32(key);
    default: return DatumGetInt64(key);
    }
}

// What the comparison of two places needs: by place, the values of all columns of its key.
struct sorting {
    const key_type *parts;
    const Datum *values;
    int count; // of columns
};

inline namespace guarded {

int compare_values(const key_type &type, Datum a, Datum b) {
    if (is_whole_number(type.type)) {
        const std::int64_t left = whole_number(type.type, a);
        const std::int64_t right = whole_number(type.type, b);
        return left < right ? -1 : left > right ? 1 : 0;
    }
    // The look-up is ours alone; FunctionCall2Coll does not change it.
    auto *compare = const_cast<FmgrInfo *>(&type.compare);
    return DatumGetInt32(FunctionCall2Coll(compare, type.collation, a, b));
}

int compare_places(const sorting &work, std::uint32_t a, std::uint32_t b) {
    const Datum *left = work.values + std::size_t{a} * static_cast<std::size_t>(work.count);
    const Datum *right = work.values + std::size_t{b} * static_cast<std::size_t>(work.count);
    for (int i = 0; i < work.count; ++i)
        if (const int way = compare_values(work.parts[i], left[i], right[i]); way != 0)
            return way;
    return 0;
}

void take_all_apart(const key_row &row, const Datum *keys, std::size_t count, Datum *values) {
    bool nulls[INDEX_MAX_KEYS]; // there are none
    for (std::size_t i = 0; i < count; ++i)
        take_key_apart(row, keys[i], values + i * static_cast<std::size_t>(row.count), nulls);
}

} // namespace guarded

} // namespace

extern "C" {
static int lockstep_compare_places(const void *a, const void *b, void *how) {
    return compare_places(*static_cast<const sorting *>(how),
                          *static_cast<const std::uint32_t *>(a),
                          *static_cast<const std::uint32_t *>(b));
}
}

row_numbers number_keys_of(const key_type &type, std::span<const Datum> keys) {
    const std::size_t count = keys.size();
    if (is_whole_number(type.type)) {
        call_vector<std::int64_t> whole;
        whole.reserve(count);
        for (const Datum key : keys)
            whole.push_back(whole_number(type.type, key));
        return number_rows(whole);
    }
    sorting work{&type, keys.data(), 1};
    call_vector<Datum> apart;
    if (const key_row *row = type.row) {
        apart.resize(count * static_cast<std::size_t>(row->count));
        work = {row->parts, apart.data(), row->count};
        const Datum *first = keys.data();
        Datum *values = apart.data();
        pg_call([=] { take_all_apart(*row, first, count, values); });
    }
    call_vector<std::uint32_t> places(count);
    std::iota(places.begin(), places.end(), 0);
    std::uint32_t *first = places.data();
    sorting *const how = &work;
    pg_call([=] { qsort_arg(first, count, sizeof(std::uint32_t), lockstep_compare_places, how); });
    return number_rows(places, [how](std::uint32_t a, std::uint32_t b) {
        return pg_call([=] { return compare_places(*how, a, b); }) == 0;
    });
}

int compare_keys(const key_type &type, Datum a, Datum b) {
    const key_type *how = &type;
    return pg_call([=] { return compare_values(*how, a, b); });
}

} // namespace lockstep
