#include "retry/parameters.hpp"

#include "pg/types_in_use.hpp"
#include "pg/values.hpp"

namespace lockstep {

namespace {

inline namespace guarded {

void set_within_level(const char *name, const char *value) {
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// As postgres_fdw sets a session up for values that another one is to read.
int begin_portable_output() {
    const int level = NewGUCNestLevel();
    set_within_level("datestyle", "ISO");
    set_within_level("intervalstyle", "postgres");
    set_within_level("extra_float_digits", "1"); // all that a float has
    // Names of tables and types are written with their schemas.
    set_within_level("search_path", "pg_catalog");
    return level;
}

// The row types in the values: a change of one meanwhile would have them read in another layout.
List *hold_types_of_elements(const array_elements *given) {
    List *held = hold_types(NIL, given->type);
    for (std::size_t i = 0; i < given->values.size(); ++i)
        if (!given->nulls[i])
            held = hold_types_of(held, given->values[i], given->type);
    return held;
}

} // namespace guarded

// What array_elements gives of a text may still be packed, and text_of unpacks it.
std::string written(Oid output, Oid type, Datum value) {
    if (type == TEXTOID)
        return text_of(value);
    return copied(pg_call([=] { return OidOutputFunctionCall(output, value); }));
}

} // namespace

text_parameters written_parameters(const array_elements &given) {
    const array_elements *all = &given;
    const Oid type = given.type;
    List *const held = pg_call([all] { return hold_types_of_elements(all); });
    const Oid output = pg_call([type] {
        Oid function = InvalidOid;
        bool varlena = false;
        getTypeOutputInfo(type, &function, &varlena);
        return function;
    });
    const int level = pg_call([] { return begin_portable_output(); });
    text_parameters values;
    values.reserve(given.values.size());
    for (std::size_t i = 0; i < given.values.size(); ++i) {
        check_interrupts();
        values.push_back(given.nulls[i] ? std::nullopt
                                        : std::optional{written(output, type, given.values[i])});
    }
    pg_call([=] {
        AtEOXact_GUC(true, level);
        release_types(held);
    });
    return values;
}

} // namespace lockstep
