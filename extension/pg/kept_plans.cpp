#include "pg/kept_plans.hpp"

#include "core/sql_error.hpp"
#include "pg/catalog.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace lockstep {

namespace {

// Few statements are in use at a time; looking through them costs less than planning one.
constexpr std::size_t most_plans = 64;

// What stands in a plan in a parameter's place.
struct constant {
    Oid type;
    Oid collation;
    int16 length;
    bool by_value;
    bool is_null;
    Datum value;
};

struct constants {
    int count;
    constant *first;
};

struct kept_plan {
    uint32 hash;
    char *text; // null: no plan stands here
    Oid *types;
    std::size_t parameters;
    constants *fixed; // null: for any values
    SPIPlanPtr plan;
    uint64 used; // when: the executions are counted
};

std::array<kept_plan, most_plans> plans;
// Statements with values that came before, by their hash: at any time one for each place.
std::array<uint32, most_plans> seen;
uint64 executions = 0;
// Code of the user's may call us from within a plan: then none is freed.
int depth = 0;

class running {
  public:
    running() noexcept { ++depth; }
    ~running() { --depth; }
    running(const running &) = delete;
    running &operator=(const running &) = delete;
};

inline namespace guarded {

// Longer ones are not worth to be compared and kept.
constexpr Size longest_constant = 1024;

// Whether the same image is the same value for good: what a row consists of may change.
bool has_lasting_images(Oid type) {
    if (type < FirstNormalObjectId)
        return true;
    const char kind = get_typtype(type);
    return (kind == TYPTYPE_BASE || kind == TYPTYPE_ENUM) && !OidIsValid(get_element_type(type));
}

// Null where a plan for these values is not to be kept.
constants *constants_of(const Oid *types, int count, const Datum *values, const char *nulls) {
    auto *made = static_cast<constants *>(palloc(sizeof(constants)));
    made->count = count;
    made->first = static_cast<constant *>(palloc(sizeof(constant) * static_cast<Size>(count)));
    for (int i = 0; i < count; ++i) {
        constant *one = &made->first[i];
        one->type = types[i];
        one->collation = get_typcollation(types[i]);
        get_typlenbyval(types[i], &one->length, &one->by_value);
        one->is_null = nulls[i] == 'n';
        one->value = values[i];
        if (!has_lasting_images(one->type) ||
            (!one->is_null && !one->by_value &&
             datumGetSize(one->value, false, one->length) > longest_constant))
            return nullptr;
    }
    return made;
}

uint32 hash_of(const char *text, int length, const constants *fixed) {
    uint32 hash = hash_bytes(reinterpret_cast<const unsigned char *>(text), length);
    for (int i = 0; fixed != nullptr && i < fixed->count; ++i) {
        const constant *one = &fixed->first[i];
        hash = hash_combine(
            hash, one->is_null ? 0 : datum_image_hash(one->value, one->by_value, one->length));
    }
    return hash;
}

bool are_same(const constants *fixed, const constants *others) {
    for (int i = 0; i < fixed->count; ++i) {
        const constant *one = &fixed->first[i];
        const constant *other = &others->first[i];
        if (one->is_null != other->is_null || one->length != other->length ||
            one->by_value != other->by_value ||
            (!one->is_null &&
             !datum_image_eq(one->value, other->value, one->by_value, one->length)))
            return false;
    }
    return true;
}

constants *kept(const constants *fixed) {
    const MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
    auto *copy = static_cast<constants *>(palloc(sizeof(constants)));
    copy->count = fixed->count;
    copy->first =
        static_cast<constant *>(palloc(sizeof(constant) * static_cast<Size>(fixed->count)));
    for (int i = 0; i < fixed->count; ++i) {
        copy->first[i] = fixed->first[i];
        if (!fixed->first[i].is_null)
            copy->first[i].value =
                datumCopy(fixed->first[i].value, fixed->first[i].by_value, fixed->first[i].length);
    }
    MemoryContextSwitchTo(before);
    return copy;
}

void free_constants(constants *fixed) {
    for (int i = 0; i < fixed->count; ++i)
        if (!fixed->first[i].is_null && !fixed->first[i].by_value)
            pfree(DatumGetPointer(fixed->first[i].value));
    pfree(fixed->first);
    pfree(fixed);
}

// The server's own message where there is no such parameter.
Node *constant_for(ParseState *state, ParamRef *reference) {
    const auto *fixed = static_cast<constants *>(state->p_ref_hook_state);
    if (reference->number < 1 || reference->number > fixed->count)
        return nullptr;
    const constant *one = &fixed->first[reference->number - 1];
    return reinterpret_cast<Node *>(makeConst(one->type, -1, one->collation, one->length,
                                              one->value, one->is_null, one->by_value));
}

// Also when the server makes a plan anew.
void take_constants(ParseState *state, void *argument) {
    state->p_paramref_hook = constant_for;
    state->p_ref_hook_state = argument;
}

SPIPlanPtr prepare_fixed(const char *sql, constants *fixed) {
    SPIPlanPtr plan = SPI_prepare_params(sql, take_constants, fixed, 0);
    if (plan == nullptr)
        elog(ERROR, "SPI_prepare_params failed: %s", SPI_result_code_string(SPI_result));
    SPI_keepplan(plan);
    return plan;
}

void forget(kept_plan &one) {
    if (one.text == nullptr)
        return;
    SPI_freeplan(one.plan);
    pfree(one.text);
    pfree(one.types);
    if (one.fixed != nullptr)
        free_constants(one.fixed);
    one = {};
}

void remember(kept_plan &one, uint32 hash, const char *sql, const Oid *types, std::size_t count,
              constants *fixed, SPIPlanPtr plan) {
    const MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
    char *text = pstrdup(sql);
    auto *copy = static_cast<Oid *>(palloc(sizeof(Oid) * std::max<std::size_t>(count, 1)));
    std::copy_n(types, count, copy);
    MemoryContextSwitchTo(before);
    one = {hash, text, copy, count, fixed, plan, 0};
}

} // namespace guarded

bool is_same(const kept_plan &one, uint32 hash, const std::string &sql, std::span<const Oid> types,
             const constants *fixed) {
    if (one.text == nullptr || one.hash != hash || sql != one.text ||
        !std::equal(types.begin(), types.end(), one.types, one.types + one.parameters) ||
        (one.fixed == nullptr) != (fixed == nullptr))
        return false;
    const constants *const kept_ones = one.fixed;
    return fixed == nullptr || pg_call([=] { return are_same(kept_ones, fixed); });
}

uint32 hash_of(const std::string &sql, const constants *fixed) {
    const char *text = sql.c_str();
    const auto length = static_cast<int>(sql.size());
    return pg_call([=] { return guarded::hash_of(text, length, fixed); });
}

// A plan for any values, or for these alone. `options` are a cursor's, and the same for all
// executions of a text.
SPIPlanPtr plan_of(const std::string &sql, std::span<const Oid> types, const constants *fixed,
                   int options) {
    const char *text = sql.c_str();
    const uint32 hash = hash_of(sql, fixed);
    ++executions;
    for (kept_plan &one : plans)
        if (is_same(one, hash, sql, types, fixed)) {
            one.used = executions;
            return one.plan;
        }
    kept_plan &oldest = *std::ranges::min_element(plans, {}, &kept_plan::used);
    // A plan that may be running is not freed for another one, which then serves this once.
    if (oldest.text != nullptr && depth > 0)
        return fixed != nullptr ? nullptr : prepare_once(text, types, options);
    kept_plan *const place = &oldest;
    const Oid *first = types.data();
    const std::size_t count = types.size();
    constants *const own = fixed == nullptr ? nullptr : pg_call([=] { return kept(fixed); });
    SPIPlanPtr made = own != nullptr ? pg_call([=] { return prepare_fixed(text, own); })
                                     : prepare_kept(text, types, options);
    pg_call([=] {
        forget(*place);
        remember(*place, hash, text, first, count, own, made);
    });
    oldest.used = executions;
    return made;
}

uint64 execute_about(SPIPlanPtr plan, const spi_parameters &parameters, Oid table, long max_rows) {
    const running now;
    const uint64 rows = execute(plan, parameters, max_rows);
    if (!is_about(plan, table))
        throw sql_error(state::object_in_use,
                        "another table was found under the name of table \"" +
                            shown_name_of(table, "?") + "\"",
                        "It or its schema was given another name meanwhile.");
    return rows;
}

} // namespace

bool is_about(SPIPlanPtr plan, Oid relation) {
    return pg_call([=] {
        ListCell *cell = nullptr;
        foreach (cell, SPI_plan_get_plan_sources(plan))
            if (list_member_oid(static_cast<CachedPlanSource *>(lfirst(cell))->relationOids,
                                relation))
                return true;
        return false;
    });
}

uint64 execute_kept(const std::string &sql, std::span<const Oid> types,
                    const spi_parameters &parameters, Oid table) {
    Assert(parameters.size() == types.size());
    return execute_about(plan_of(sql, types, nullptr, 0), parameters, table, 0);
}

uint64 execute_kept(const std::string &sql, std::span<const Oid> types,
                    const spi_parameters &parameters) {
    Assert(parameters.size() == types.size());
    SPIPlanPtr plan = plan_of(sql, types, nullptr, 0);
    const running now;
    return execute(plan, parameters);
}

uint64 execute_for_values(const std::string &sql, std::span<const Oid> types,
                          const spi_parameters &parameters, Oid table, long max_rows) {
    Assert(parameters.size() == types.size());
    const Oid *first = types.data();
    const auto count = static_cast<int>(types.size());
    const Datum *values = parameters.values();
    const char *nulls = parameters.nulls();
    if (const constants *fixed =
            pg_call([=] { return constants_of(first, count, values, nulls); })) {
        const uint32 hash = hash_of(sql, fixed);
        if (std::exchange(seen[hash % seen.size()], hash) == hash)
            if (SPIPlanPtr plan = plan_of(sql, types, fixed, 0))
                return execute_about(plan, {}, table, max_rows);
    }
    return execute_about(plan_of(sql, types, nullptr, CURSOR_OPT_CUSTOM_PLAN), parameters, table,
                         max_rows);
}

} // namespace lockstep
