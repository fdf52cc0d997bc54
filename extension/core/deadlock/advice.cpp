#include "core/deadlock/advice.hpp"

#include <algorithm>
#include <set>

namespace lockstep::deadlock {

namespace {

using members = std::span<const member_wait>;

bool all_want(members cycle, wanted what) {
    return std::ranges::all_of(cycle, [=](const member_wait &one) { return one.what == what; });
}

bool any_wants(members cycle, wanted what) {
    return std::ranges::any_of(cycle, [=](const member_wait &one) { return one.what == what; });
}

std::set<std::string> relations_of(members cycle) {
    std::set<std::string> names;
    for (const member_wait &one : cycle)
        if (!one.relation.empty())
            names.insert(one.relation);
    return names;
}

std::string listed(const std::set<std::string> &names, const char *between) {
    std::string list;
    for (const std::string &one : names)
        list += (list.empty() ? "" : between) + one;
    return list;
}

// Both stand at the same thing: each has it in a mode in which the other one may have it too.
bool is_upgrade(members cycle) {
    return cycle.size() == 2 && cycle[0].relation == cycle[1].relation &&
           cycle[0].place == cycle[1].place && cycle[0].lock == cycle[1].lock;
}

std::string for_rows(members cycle) {
    const std::set<std::string> names = relations_of(cycle);
    if (is_upgrade(cycle) && !cycle.front().place.empty())
        return "Both had locked this row of " + cycle.front().relation +
               " in a mode that they can share, and then wanted to change it: take it FOR NO KEY "
               "UPDATE from the start, or by lockstep.lock_rows.";
    if (names.size() == 1)
        return "Rows of " + *names.begin() +
               " were taken in two orders: take them in one, by lockstep.lock_rows before the "
               "statements that change them, or book by lockstep.transfer.";
    return "Rows of " + listed(names, " and ") +
           " were taken in two orders: take the tables in one order everywhere (" +
           listed(names, " before ") + "), or their rows together by lockstep.lock_all.";
}

std::string for_relations(members cycle) {
    const std::set<std::string> names = relations_of(cycle);
    if (is_upgrade(cycle))
        return "Both had locked " + cycle.front().relation +
               " in a weaker mode, and then wanted more: take the strongest mode that the "
               "transaction needs first, by LOCK TABLE " +
               cycle.front().relation + '.';
    if (all_want(cycle, wanted::relation))
        return "The tables " + listed(names, " and ") +
               " were locked in two orders: lock them in one order everywhere (" +
               listed(names, " before ") + "), in one LOCK TABLE at the transaction's start.";
    return "A statement on the whole table met one that had used it already: let LOCK TABLE, "
           "ALTER TABLE or TRUNCATE come first in its transaction, with a short lock_timeout, and "
           "try again.";
}

// Whose row is not known: it is a key on its way into an index, or held already.
std::string for_transactions(members cycle) {
    if (any_wants(cycle, wanted::row))
        return "One waited for a row, and one for a key that was inserted or a row that it shared: "
               "take the rows first, by lockstep.lock_rows, and insert sorted by key.";
    if (std::ranges::all_of(cycle, &member_wait::inserts))
        return "Each waited for a key that the other one had inserted: insert sorted by key, by "
               "INSERT ... SELECT ... ORDER BY, or one key a transaction.";
    return "Each waited for a row that both had locked in a mode that they can share (FOR SHARE, "
           "or "
           "FOR KEY SHARE by a foreign key): take it FOR NO KEY UPDATE from the start, by "
           "lockstep.lock_rows.";
}

} // namespace

std::string advice_for(members cycle) {
    if (cycle.size() < 2)
        return {};
    if (any_wants(cycle, wanted::relation))
        return for_relations(cycle);
    if (all_want(cycle, wanted::row))
        return for_rows(cycle);
    if (all_want(cycle, wanted::advisory))
        return "Advisory locks were taken in two orders: take them sorted, smallest key first.";
    if (any_wants(cycle, wanted::transaction))
        return for_transactions(cycle);
    return "Take what these wait for in one order everywhere, or let CALL lockstep.retry run the "
           "transaction again.";
}

} // namespace lockstep::deadlock
