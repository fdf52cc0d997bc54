#include "core/retry_rules.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace lockstep {
namespace {

using enum retry_verdict;
using enum backoff_kind;

constexpr std::string_view in_doubt_note = "the commit's answer was lost: it may have happened";

// Sorted bytewise: a lookup is a binary search, and the view shows it in this order.
constexpr std::array codes{
    retry_rule{"", new_session, reconnect, 0, "the session was lost without a code"},
    retry_rule{"08000", new_session, reconnect, 0, "the session was lost"},
    retry_rule{"08001", new_session, reconnect, 0, "could not connect"},
    retry_rule{"08003", new_session, reconnect, 0, "there was no session any more"},
    retry_rule{"08004", new_session, reconnect, 0, "the server refused the connection"},
    retry_rule{"08006", new_session, reconnect, 0, "the session was lost"},
    retry_rule{"08007", in_doubt, reconnect, 0, "the server cannot say whether it committed"},
    retry_rule{"08P01", never, none, 0, "client and server misunderstood each other: a bug"},
    retry_rule{"23505", never, none, 0, "a duplicate key; only the caller can know it was a race"},
    retry_rule{"23P01", never, none, 0, "an exclusion; only the caller can know it was a race"},
    retry_rule{"25006", elsewhere, reconnect, 0, "read only: a standby, or no longer the primary"},
    retry_rule{"25P02", never, none, 0, "an earlier error of this transaction was swallowed"},
    retry_rule{"25P03", new_session, reconnect, 1, "idle too long inside the transaction"},
    retry_rule{"25P04", new_session, reconnect, 1, "the transaction took longer than allowed"},
    retry_rule{"26000", new_session, none, 1, "the prepared statement is gone from the session"},
    retry_rule{"40000", same_session, conflict, 0, "the server rolled back"},
    retry_rule{"40001", same_session, conflict, 0, "a concurrent transaction was in the way"},
    retry_rule{"40002", never, none, 0, "a deferred constraint is violated"},
    retry_rule{"40003", in_doubt, reconnect, 0, "the server cannot say whether it completed"},
    retry_rule{"40P01", same_session, conflict, 0, "a deadlock: some code locks out of order"},
    retry_rule{"42P05", new_session, none, 1, "the prepared statement is there already"},
    retry_rule{"53000", same_session, capacity, 0, "the server lacks resources"},
    retry_rule{"53100", never, none, 0, "the disk is full: people are needed"},
    retry_rule{"53200", same_session, capacity, 1, "the server is out of memory"},
    retry_rule{"53300", new_session, capacity, 0, "too many connections"},
    retry_rule{"53400", new_session, capacity, 0, "a configured limit was reached"},
    retry_rule{"55P03", never, none, 0, "the lock was not free in the time the caller gave it"},
    retry_rule{"57014", never, none, 0, "cancelled, or out of time: somebody's wish"},
    retry_rule{"57P01", new_session, reconnect, 0, "an administrator ended the session"},
    retry_rule{"57P02", new_session, reconnect, 0, "another session crashed: the server restarts"},
    retry_rule{"57P03", new_session, capacity, 0, "the server starts, stops or recovers"},
    retry_rule{"57P04", never, none, 0, "the database was dropped"},
    retry_rule{"57P05", new_session, none, 3, "the session was idle too long"},
    retry_rule{"72000", same_session, conflict, 0, "the snapshot was too old: a new one heals it"},
    retry_rule{"LS050", same_session, conflict, 0, "a row was busy, and not to be waited for"},
};

// A class answers for the codes of it that have no line of their own. What is not known is never
// tried again.
constexpr std::array classes{
    retry_rule{"00", never, none, 0, "not an error"},
    retry_rule{"01", never, none, 0, "a warning"},
    retry_rule{"02", never, none, 0, "no data"},
    retry_rule{"03", never, none, 0, "a statement is not complete"},
    retry_rule{"08", never, none, 0, "the connection failed in a way that no rule names"},
    retry_rule{"09", never, none, 0, "a trigger failed"},
    retry_rule{"0A", never, none, 0, "not supported"},
    retry_rule{"0B", never, none, 0, "a transaction cannot start here"},
    retry_rule{"0F", never, none, 0, "a locator is wrong"},
    retry_rule{"0L", never, none, 0, "a grantor is wrong"},
    retry_rule{"0P", never, none, 0, "a role is wrong"},
    retry_rule{"0Z", never, none, 0, "the diagnostics were misused"},
    retry_rule{"10", never, none, 0, "an XQuery failed"},
    retry_rule{"20", never, none, 0, "no case of a statement fits"},
    retry_rule{"21", never, none, 0, "wrong number of rows or columns"},
    retry_rule{"22", never, none, 0, "the data is wrong"},
    retry_rule{"23", never, none, 0, "a constraint is violated"},
    retry_rule{"24", never, none, 0, "a cursor is in the wrong state"},
    retry_rule{"25", never, none, 0, "not possible in this state of the transaction"},
    retry_rule{"26", never, none, 0, "a statement's name is wrong"},
    retry_rule{"27", never, none, 0, "a trigger and its statement change the same row"},
    retry_rule{"28", never, none, 0, "not allowed to connect"},
    retry_rule{"2B", never, none, 0, "privileges depend on it"},
    retry_rule{"2D", never, none, 0, "a transaction cannot end here"},
    retry_rule{"2F", never, none, 0, "a function failed"},
    retry_rule{"34", never, none, 0, "a cursor's name is wrong"},
    retry_rule{"38", never, none, 0, "an external function failed"},
    retry_rule{"39", never, none, 0, "an external function was misused"},
    retry_rule{"3B", never, none, 0, "a savepoint failed"},
    retry_rule{"3D", never, none, 0, "there is no such database"},
    retry_rule{"3F", never, none, 0, "there is no such schema"},
    retry_rule{"40", never, none, 0, "rolled back for a reason that no rule names"},
    retry_rule{"42", never, none, 0, "the statement is wrong, or not allowed"},
    retry_rule{"44", never, none, 0, "a view's check is violated"},
    retry_rule{"53", never, none, 0, "the server lacks resources"},
    retry_rule{"54", never, none, 0, "a limit of the program is exceeded"},
    retry_rule{"55", never, none, 0, "the object is not in a state for this"},
    retry_rule{"57", never, none, 0, "somebody intervened"},
    retry_rule{"58", never, none, 0, "the server's system failed: people are needed"},
    retry_rule{"72", never, none, 0, "the snapshot failed"},
    retry_rule{"F0", never, none, 0, "the server's configuration is broken"},
    retry_rule{"HV", never, none, 0, "a foreign table failed"},
    retry_rule{"LS", never, none, 0, "lockstep's own answer: the same again gives the same"},
    retry_rule{"P0", never, none, 0, "raised by a function"},
    retry_rule{"XX", never, none, 0, "an internal error, or corruption: people are needed"},
};

constexpr retry_rule otherwise{"", never, none, 0, "no rule names it"};

constexpr bool in_order(std::span<const retry_rule> rules) {
    for (std::size_t i = 1; i < rules.size(); ++i)
        if (!(rules[i - 1].sqlstate < rules[i].sqlstate))
            return false;
    return true;
}

// A retry without a pause and without a limit would be a loop that eats the server.
constexpr bool every_retry_is_slowed(std::span<const retry_rule> rules) {
    return std::all_of(rules.begin(), rules.end(), [](const retry_rule &rule) {
        return rule.verdict == never || rule.backoff != none || rule.at_most > 0;
    });
}

static_assert(in_order(codes) && in_order(classes));
static_assert(every_retry_is_slowed(codes));
static_assert(std::all_of(classes.begin(), classes.end(),
                          [](const retry_rule &rule) { return rule.verdict == never; }));

// The view and retry_rules() want one run of memory.
constexpr auto all_rules = [] {
    std::array<retry_rule, codes.size() + classes.size()> all{};
    std::copy(codes.begin(), codes.end(), all.begin());
    std::copy(classes.begin(), classes.end(), all.begin() + codes.size());
    return all;
}();

const retry_rule *find(std::span<const retry_rule> sorted, std::string_view sqlstate) noexcept {
    const auto at = std::lower_bound(
        sorted.begin(), sorted.end(), sqlstate,
        [](const retry_rule &rule, std::string_view code) { return rule.sqlstate < code; });
    return at != sorted.end() && at->sqlstate == sqlstate ? &*at : nullptr;
}

} // namespace

bool is_sqlstate(std::string_view text) noexcept {
    return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

std::span<const retry_rule> retry_rules() noexcept {
    return all_rules;
}

const retry_rule &retry_rule_for(std::string_view sqlstate) noexcept {
    const std::span all{all_rules};
    if (const retry_rule *exact = find(all.first(codes.size()), sqlstate))
        return *exact;
    // What is not a SQLSTATE has no class either.
    if (is_sqlstate(sqlstate))
        if (const retry_rule *of_class = find(all.subspan(codes.size()), sqlstate.substr(0, 2)))
            return *of_class;
    return otherwise;
}

retry_judgement judge_failure(const failure_facts &facts) noexcept {
    const bool answer_is_open = facts.sqlstate == "40003" || facts.sqlstate == "08007";
    if (facts.commit_sent && (!facts.session_open || answer_is_open))
        return {in_doubt, reconnect, 0, in_doubt_note};
    // No code on a session that lives: the failure is our own side's, and would come again.
    const bool has_rule = !facts.sqlstate.empty() || !facts.session_open;
    const retry_rule &rule = has_rule ? retry_rule_for(facts.sqlstate) : otherwise;
    const bool session_needed = rule.verdict == same_session && !facts.session_open;
    return {session_needed ? new_session : rule.verdict, rule.backoff, rule.at_most, rule.note};
}

std::string_view to_string(retry_verdict verdict) noexcept {
    switch (verdict) {
    case same_session: return "same_session";
    case new_session: return "new_session";
    case elsewhere: return "elsewhere";
    case in_doubt: return "in_doubt";
    case never: return "never";
    }
    return "never";
}

std::string_view to_string(backoff_kind backoff) noexcept {
    switch (backoff) {
    case none: return "none";
    case conflict: return "conflict";
    case reconnect: return "reconnect";
    case capacity: return "capacity";
    }
    return "none";
}

} // namespace lockstep
