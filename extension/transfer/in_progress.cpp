#include "transfer/in_progress.hpp"

#include "core/sql_error.hpp"

#include <algorithm>

namespace lockstep {

in_progress::in_progress(const ledger &target, std::span<const Datum> keys,
                         std::span<const uuid_bytes> ids)
    : table_(target.table), keys_(keys), ids_(ids) {
    for (const in_progress *outer = innermost_; outer != nullptr; outer = outer->next_)
        if (outer->table_ == target.table)
            check_apart(target, *outer);
    next_ = innermost_;
    innermost_ = this;
}

void in_progress::check_apart(const ledger &target, const in_progress &outer) const {
    for (const uuid_bytes &id : ids_)
        if (std::binary_search(outer.ids_.begin(), outer.ids_.end(), id))
            throw sql_error(state::prerequisite_state,
                            "request id \"" + id_text(id) + "\" is under way in this session");
    const auto before = [&target](Datum a, Datum b) { return compare_keys(target.key, a, b) < 0; };
    for (const Datum key : keys_)
        if (std::binary_search(outer.keys_.begin(), outer.keys_.end(), key, before))
            throw sql_error(state::prerequisite_state,
                            row_text(target, key) + " is in a movement of this session",
                            "A trigger cannot move a row again before the movement that fired it "
                            "is booked.");
}

} // namespace lockstep
