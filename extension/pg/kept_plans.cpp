#include "pg/kept_plans.hpp"

#include "core/sql_error.hpp"
#include "pg/catalog.hpp"

#include <algorithm>
#include <array>

namespace lockstep {

namespace {

// Few statements are in use at a time; looking through them costs less than planning one.
constexpr std::size_t most_plans = 64;

struct kept_plan {
    uint32 hash;
    char *text; // null: no plan stands here
    Oid *types;
    std::size_t parameters;
    SPIPlanPtr plan;
    uint64 used; // when: the executions are counted
};

std::array<kept_plan, most_plans> plans;
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

bool is_same(const kept_plan &one, uint32 hash, const std::string &sql,
             std::span<const Oid> types) {
    return one.text != nullptr && one.hash == hash && sql == one.text &&
           std::equal(types.begin(), types.end(), one.types, one.types + one.parameters);
}

inline namespace guarded {

void forget(kept_plan &one) {
    if (one.text == nullptr)
        return;
    SPI_freeplan(one.plan);
    pfree(one.text);
    pfree(one.types);
    one = {};
}

void remember(kept_plan &one, uint32 hash, const char *sql, const Oid *types, std::size_t count,
              SPIPlanPtr plan) {
    const MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
    char *text = pstrdup(sql);
    auto *copy = static_cast<Oid *>(palloc(sizeof(Oid) * std::max<std::size_t>(count, 1)));
    std::copy_n(types, count, copy);
    MemoryContextSwitchTo(before);
    one = {hash, text, copy, count, plan, 0};
}

} // namespace guarded

SPIPlanPtr plan_of(const std::string &sql, std::span<const Oid> types) {
    const char *text = sql.c_str();
    const auto length = static_cast<int>(sql.size());
    const uint32 hash =
        pg_call([=] { return hash_bytes(reinterpret_cast<const unsigned char *>(text), length); });
    ++executions;
    for (kept_plan &one : plans)
        if (is_same(one, hash, sql, types)) {
            one.used = executions;
            return one.plan;
        }
    kept_plan &oldest = *std::ranges::min_element(plans, {}, &kept_plan::used);
    // A plan that may be running is not freed for another one, which then serves this once.
    if (oldest.text != nullptr && depth > 0)
        return prepare_once(text, types);
    SPIPlanPtr made = prepare_kept(text, types);
    kept_plan *const place = &oldest;
    const Oid *first = types.data();
    const std::size_t count = types.size();
    pg_call([=] {
        forget(*place);
        remember(*place, hash, text, first, count, made);
    });
    oldest.used = executions;
    return made;
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
    SPIPlanPtr plan = plan_of(sql, types);
    const running now;
    const uint64 rows = execute(plan, parameters);
    if (!is_about(plan, table))
        throw sql_error(state::object_in_use,
                        "another table was found under the name of table \"" +
                            shown_name_of(table, "?") + "\"",
                        "It or its schema was given another name meanwhile.");
    return rows;
}

} // namespace lockstep
