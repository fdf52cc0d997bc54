// lockstep.refuse_expansion: the planner's support function of transfer, adjust and the batches of
// both. It simplifies nothing; it refuses a call that `.*` has multiplied, before any copy of it
// runs.
#include "pg/boundary.hpp"
#include "pg/expansion.h"

#include "core/sql_error.hpp"

#include <string>

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_refuse_expansion) {
    auto *const asked = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
    if (!IsA(asked, SupportRequestSimplify))
        return Datum{0};
    const auto *const request = reinterpret_cast<const SupportRequestSimplify *>(asked);
    const call_expansion found =
        pg_call([=] { return lockstep_find_expansion(request->root, request->fcall->funcid); });
    if (found.function != nullptr) {
        const std::string function = std::string{"lockstep."} + found.function;
        throw sql_error(state::feature_not_supported, function + "() cannot be expanded with .*",
                        "It would run " + std::to_string(found.copies) +
                            " times, once for each column.",
                        "Write SELECT * FROM " + function + "(...).");
    }
    return Datum{0};
}
