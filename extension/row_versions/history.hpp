// The versions of a row in their order: which came from which, who began and ended each, and what
// a snapshot sees of it.
#pragma once

#include "core/versions/visibility.hpp"
#include "row_versions/fates.hpp"
#include "row_versions/found.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep {

struct row_version {
    found_version found;
    int number = 0; // oldest first; 0: it is a line pointer and no version
    int chain = 0;  // of versions that each came from the one before; 0: it hangs on no other
    version_end end;
    versions::fate begun = versions::fate::none;
    const char *ended = "none";    // what became of the transactions in xmax
    std::string kind;              // what is in xmax: none, lock: key share, update, ...
    std::optional<CommandId> cmin; // nothing where it is not known
    std::optional<CommandId> cmax;
    std::string why; // it is visible, or not
};

// Chains stand in the order in which they began, what is only a line pointer before what it leads
// to. Nothing is locked.
[[nodiscard]] std::vector<row_version> history_of(std::span<const found_version> found,
                                                  Snapshot snapshot);

// "transaction 742", and what it did: "deleted", "updated", ...
[[nodiscard]] std::string transaction_text(TransactionId xid);
[[nodiscard]] const char *verb_of(const row_version &one);

} // namespace lockstep
