// Which version of a row a snapshot sees, and why: what the server decides of a version's two
// transactions, in words.
#pragma once

#include <cstdint>
#include <string>

namespace lockstep::versions {

// What became of a transaction, as it is known now.
enum class fate : std::uint8_t {
    none,   // there is no transaction
    frozen, // older than all that anybody can ask for
    committed,
    aborted,     // rolled back, or lost in a crash
    in_progress, // a prepared one, too
    own,         // the caller's, or a subtransaction of it
    too_old      // ended; how is no longer kept
};

[[nodiscard]] const char *fate_word(fate what);

// What is done with a version by the transaction that made it, and by the one that ended it, from
// where a snapshot stands.
enum class standing : std::uint8_t {
    none,      // of the end: nobody has ended it
    locked,    // of the end: it was locked, and no more
    undone,    // rolled back
    unseen,    // not yet committed when the snapshot was taken
    own_later, // the caller's own, by a command that the snapshot does not see
    own,       // the caller's own, seen
    seen,      // committed, seen
    always     // of the beginning: frozen, seen by everybody
};

// One of the two sides of a version.
struct side {
    standing where = standing::none;
    fate now = fate::none;
    std::string who;       // "transaction 742"
    const char *verb = ""; // "inserted", "deleted", "updated", "moved to another partition"
};

[[nodiscard]] bool is_visible(standing beginning, standing end);

// Why it is visible, or is not.
[[nodiscard]] std::string why_visible(const side &beginning, const side &end);

} // namespace lockstep::versions
