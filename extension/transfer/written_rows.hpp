// What code of the user's, a trigger or a policy, has made of the rows that a call has written: a
// single movement takes them as they are, a batch takes no others than it has reckoned.
#pragma once

#include "ledger/ledger.hpp"

#include "core/batch.hpp"

#include <optional>
#include <span>

namespace lockstep {

// The rows as a write returned them, by number; nothing for one that it has not named.
using written_rows = call_vector<std::optional<row_state>>;

// What becomes of a single movement that was not refused before: it is decided on once more, by its
// rows as they are now. Throws the refusal; 09000 where a trigger has swallowed the write.
[[nodiscard]] item_outcome accepted_outcome(const ledger &target, std::span<const Datum> keys,
                                            const batch_item &item, const written_rows &written);

// 09000 where a row is not what the items have made of it: they go by what others have left.
void require_as_reckoned(const ledger &target, std::span<const Datum> keys,
                         std::span<const batch_row> rows, const written_rows &written);

} // namespace lockstep
