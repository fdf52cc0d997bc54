// What to do after a failure: the one table of verdicts by SQLSTATE, for the server and for the C++
// client. An exact code comes first, then its class (the first two characters), then "never". What
// a code means also depends on when it came: once COMMIT was sent, a lost session proves nothing.
#pragma once

#include "export.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace lockstep {

enum class retry_verdict : std::uint8_t {
    same_session, // roll back, then run the whole transaction again on this session
    new_session,  // this session is gone or of no use: run the whole transaction on another one
    elsewhere,    // this server cannot do it: find the primary, then run it there
    in_doubt,     // it may have happened: only a keyed call, or a check, can tell
    never,        // the same again would fail again, or is not ours to repeat
};

// The state of a deadlock, which the pause after it depends on.
constexpr char deadlock_detected[] = "40P01";

// Which pause comes before the next attempt.
enum class backoff_kind : std::uint8_t {
    none,      // at once; such a rule is limited by at_most
    conflict,  // another transaction was in the way: short
    reconnect, // a session was lost: medium, so that a restart is not met by a herd
    capacity,  // the server has no room: long
};

// One line of the table. A two-character sqlstate stands for a whole class, the empty one for a
// session that ended without a code. at_most limits how often one call may retry for this line's
// sake; 0 leaves that to the caller's deadline and attempts.
struct retry_rule {
    std::string_view sqlstate;
    retry_verdict verdict;
    backoff_kind backoff;
    int at_most;
    std::string_view note;
};

// Every line: the lost session, the codes in bytewise order, the classes in bytewise order.
[[nodiscard]] LOCKSTEP_EXPORT std::span<const retry_rule> retry_rules() noexcept;

// Whether the text can be a SQLSTATE: five digits or capital letters.
[[nodiscard]] LOCKSTEP_EXPORT bool is_sqlstate(std::string_view text) noexcept;

// The line for a code: exact, else its class, else one that says never. The empty code finds the
// line of the lost session. O(log n), no allocation; the result lives for ever.
[[nodiscard]] LOCKSTEP_EXPORT const retry_rule &retry_rule_for(std::string_view sqlstate) noexcept;

// What is known about one failure.
struct failure_facts {
    std::string_view sqlstate; // empty: none was given
    bool session_open;         // the session can still be used
    bool commit_sent;          // COMMIT, or a statement that commits by itself, had been sent
};

struct retry_judgement {
    retry_verdict verdict;
    backoff_kind backoff;
    int at_most;
    std::string_view note;
};

// The table's answer, after the gate of the commit: once it was sent, a closed session or one of
// the codes that leave it open (40003, 08007) is in doubt, whatever else the table says. A closed
// session never yields same_session.
[[nodiscard]] LOCKSTEP_EXPORT retry_judgement judge_failure(const failure_facts &facts) noexcept;

// The words for the SQL view, for logs and for metrics: same_session, none, ...
[[nodiscard]] LOCKSTEP_EXPORT std::string_view to_string(retry_verdict verdict) noexcept;
[[nodiscard]] LOCKSTEP_EXPORT std::string_view to_string(backoff_kind backoff) noexcept;

} // namespace lockstep
