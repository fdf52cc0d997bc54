#include "lock_samples/risks.hpp"

#include "core/graph/lock_order.hpp"
#include "lock_graph/places.hpp"
#include "lock_graph/row_key.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace lockstep {

namespace {

using conflict_table = std::array<std::uint32_t, LOCKSTEP_LOCK_MODES>;

// As this server has them.
conflict_table table_conflicts() {
    conflict_table conflicts{};
    std::uint32_t *const masks = conflicts.data();
    pg_call([masks] {
        LOCKTAG tag{};
        tag.locktag_lockmethodid = DEFAULT_LOCKMETHOD;
        const LockMethod method = GetLockTagsMethodTable(&tag);
        for (int mode = 1; mode < LOCKSTEP_LOCK_MODES; ++mode)
            masks[mode] = static_cast<std::uint32_t>(method->conflictTab[mode]);
    });
    return conflicts;
}

bool is_gone(const sampled_pair &pair, const catalogs &names) {
    const Oid relation = pair.held;
    return names.shows(pair.database) && pair.database != InvalidOid &&
           pg_call([relation] { return get_rel_name(relation) == nullptr; });
}

// The names of several in one sentence: "a before b before c".
std::string in_order(const std::vector<std::string> &names) {
    std::string text;
    for (const std::string &name : names)
        text += (text.empty() ? "" : " before ") + name;
    return text;
}

} // namespace

std::vector<lock_risk> lock_risks_in(std::span<const sampled_pair> pairs, const catalogs &names) {
    std::vector<graph::held_and_wanted> plain;
    plain.reserve(pairs.size());
    for (const sampled_pair &one : pairs)
        plain.push_back({one.database, one.held, one.held_modes, one.wanted, one.wanted_mode,
                         one.wants_row != 0, one.samples});
    const conflict_table conflicts = table_conflicts();
    std::vector<lock_risk> risks;
    for (const std::vector<std::size_t> &ring :
         graph::inverted_orders(plain, graph::conflict_masks{conflicts})) {
        lock_risk risk;
        for (const std::size_t i : ring)
            risk.push_back(pairs[i]);
        if (std::ranges::none_of(risk,
                                 [&](const sampled_pair &pair) { return is_gone(pair, names); }))
            risks.push_back(std::move(risk));
    }
    return risks;
}

std::string held_text(const sampled_pair &pair) {
    return mode_names(DEFAULT_LOCKMETHOD, pair.held_modes);
}

std::string wanted_text(const sampled_pair &pair) {
    if (pair.wants_row == 0)
        return GetLockmodeName(DEFAULT_LOCKMETHOD, pair.wanted_mode);
    constexpr std::pair<MultiXactStatus, const char *> strengths[] = {
        {MultiXactStatusForKeyShare, "FOR KEY SHARE"},
        {MultiXactStatusForShare, "FOR SHARE"},
        {MultiXactStatusForNoKeyUpdate, "FOR NO KEY UPDATE"}};
    for (const auto &[status, name] : strengths)
        if (row_lock_mode(status) == pair.wanted_mode)
            return name;
    return "FOR UPDATE";
}

std::string advice_on(const lock_risk &risk, catalogs &names) {
    std::vector<std::string> tables;
    tables.reserve(risk.size());
    for (const sampled_pair &pair : risk)
        tables.push_back(names.qualified_name(pair.database, pair.held));
    if (tables.size() == 1)
        return "Two transactions that do this at one time deadlock. Lock " + tables[0] +
               " in the strongest mode that the transaction needs, before anything else.";
    // In the order of lock_all.
    std::ranges::sort(tables);
    std::string text = "Lock " + in_order(tables) + " in every transaction";
    if (std::ranges::all_of(risk, [](const sampled_pair &pair) { return pair.wants_row != 0; }))
        text += "; lockstep.lock_all locks rows of several tables in that order";
    return text + '.';
}

} // namespace lockstep
