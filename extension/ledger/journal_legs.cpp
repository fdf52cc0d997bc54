#include "ledger/journal_legs.hpp"

#include "ledger/journal_definition.hpp"

namespace lockstep {

namespace {

// By one of the two keys.
std::string legs_by(const std::string &journal, journal_column key, journal_column balance,
                    const std::string &sign) {
    const auto named = [](journal_column column, const char *name) {
        return std::string{name_of(column)} + " AS " + name;
    };
    return "SELECT " + named(journal_column::entry, "entry") + ", " +
           named(journal_column::request_id, "request_id") + ", " + named(key, "key") + ", " +
           sign + " " + named(journal_column::amount, "change") + ", " + named(balance, "balance") +
           " FROM " + journal + " WHERE " + name_of(journal_column::refusal) + " IS NULL AND " +
           name_of(key) + " IS DISTINCT FROM NULL";
}

} // namespace

std::string legs_of(const std::string &journal) {
    return legs_by(journal, journal_column::from_key, journal_column::from_balance, "-") +
           " UNION ALL " +
           legs_by(journal, journal_column::to_key, journal_column::to_balance, "+");
}

} // namespace lockstep
