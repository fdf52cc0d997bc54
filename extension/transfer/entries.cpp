#include "transfer/entries.hpp"

#include "ledger/newest_entry.hpp"
#include "pg/role.hpp"
#include "pg/sequence.hpp"

#include <algorithm>
#include <limits>

namespace lockstep {

namespace {

constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min();

// The sequence is behind. Two sessions may find that at once: it is raised once, and what they have
// drawn before is thrown away. An identity column's sequence belongs to the table's owner.
call_vector<std::int64_t> entries_past(const ledger &target, std::size_t count) {
    const Oid sequence = target.layout.entry_sequence;
    const auto newest = newest_entry(target.journal, target.layout);
    bool raised = false;
    if (newest) {
        as_role owner{target.journal_owner};
        raised = raise_sequence(sequence, *newest);
        owner.leave();
    }
    call_vector<std::int64_t> entries = next_values(sequence, count);
    // Where it has a cache, this session has still some of the old numbers.
    while (raised && entries.front() <= *newest)
        entries = next_values(sequence, count);
    return entries;
}

} // namespace

call_vector<std::int64_t> next_entries(const ledger &target, std::size_t count) {
    known_entries &known = target.entries;
    // Before a number is drawn: what is in the journal by then is below it.
    if (!known.looked) {
        known.newest = newest_entry_at_end(target.journal, target.layout).value_or(none);
        known.looked = true;
    }
    call_vector<std::int64_t> entries = next_values(target.layout.entry_sequence, count);
    if (entries.empty())
        return entries;
    if (entries.front() <= known.newest)
        entries = entries_past(target, count);
    known.newest = entries.back();
    return entries;
}

} // namespace lockstep
