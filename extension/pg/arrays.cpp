#include "pg/arrays.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"

#include <algorithm>
#include <string>

namespace lockstep {

namespace {

// What deconstruct_array gives.
struct parts {
    Datum *values;
    bool *nulls;
    int count;
    int dimensions;
    Oid type;
};

} // namespace

std::size_t array_length(FunctionCallInfo fcinfo, int number) {
    const auto value = argument(fcinfo, number);
    if (!value)
        return 0;
    const Datum array = *value;
    return static_cast<std::size_t>(pg_call([array] {
        ArrayType *plain = DatumGetArrayTypeP(array);
        const int count = ArrayGetNItems(ARR_NDIM(plain), ARR_DIMS(plain));
        if (PointerGetDatum(plain) != array)
            pfree(plain);
        return count;
    }));
}

array_elements array_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    return array_elements_of(required_argument(fcinfo, number, name), name);
}

array_elements array_elements_of(Datum value, const char *name) {
    const parts found = pg_call([value] {
        ArrayType *array = DatumGetArrayTypeP(value);
        parts all{};
        all.type = ARR_ELEMTYPE(array);
        all.dimensions = ARR_NDIM(array);
        if (all.dimensions > 1)
            return all;
        int16 length = 0;
        bool by_value = false;
        char align = '\0';
        get_typlenbyvalalign(all.type, &length, &by_value, &align);
        deconstruct_array(array, all.type, length, by_value, align, &all.values, &all.nulls,
                          &all.count);
        return all;
    });
    if (found.dimensions > 1)
        throw sql_error(state::array_subscript_error,
                        std::string{name} + " must be an array of one dimension",
                        "It has " + std::to_string(found.dimensions) + ".");
    const auto count = static_cast<std::size_t>(found.count);
    return {{found.values, count}, {found.nulls, count}, found.type};
}

void require_no_nulls(const array_elements &elements, const char *name) {
    const auto null = std::find(elements.nulls.begin(), elements.nulls.end(), true);
    if (null != elements.nulls.end())
        throw sql_error(state::null_value_not_allowed, std::string{name} + " must not have a null",
                        "Item " + std::to_string(null - elements.nulls.begin() + 1) + " is null.");
}

std::vector<std::string> names_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    std::vector<std::string> names;
    if (!argument(fcinfo, number))
        return names;
    const array_elements given = array_argument(fcinfo, number, name);
    require_no_nulls(given, name);
    for (const Datum one : given.values)
        names.emplace_back(NameStr(*DatumGetName(one)));
    return names;
}

Datum array_of(Oid type, std::span<const std::optional<Datum>> values) {
    const std::optional<Datum> *first = values.data();
    const int count = static_cast<int>(values.size());
    return pg_call([=] {
        int16 length = 0;
        bool by_value = false;
        char align = '\0';
        get_typlenbyvalalign(type, &length, &by_value, &align);
        const auto room = static_cast<Size>(count) + 1;
        auto *plain = static_cast<Datum *>(
            MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * room));
        auto *nulls =
            static_cast<bool *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(bool) * room));
        for (int i = 0; i < count; ++i) {
            nulls[i] = !first[i].has_value();
            plain[i] = first[i] ? *first[i] : Datum{0};
        }
        int size = count;
        int lower = 1;
        return PointerGetDatum(
            construct_md_array(plain, nulls, 1, &size, &lower, type, length, by_value, align));
    });
}

} // namespace lockstep
