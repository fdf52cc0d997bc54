#include "pg/sequence.hpp"

extern "C" {
#include "pg/sequence_page.h"
}

namespace lockstep {

namespace {

std::int64_t coming(const lockstep_sequence_state &now) {
    return now.is_called ? now.last_value + now.increment : now.last_value;
}

} // namespace

call_vector<std::int64_t> next_values(Oid sequence, std::size_t count) {
    call_vector<std::int64_t> drawn(count);
    std::int64_t *out = drawn.data();
    pg_call([=] {
        for (std::size_t i = 0; i < count; ++i) {
            CHECK_FOR_INTERRUPTS();
            out[i] = nextval_internal(sequence, false);
        }
    });
    return drawn;
}

bool raise_sequence(Oid sequence, std::int64_t above) {
    return pg_call([=] {
        // One raises it after the other: others may draw meanwhile, and nothing else puts it back.
        constexpr LOCKMODE against_itself = ShareUpdateExclusiveLock;
        LockRelationOid(sequence, against_itself);
        const lockstep_sequence_state now = lockstep_sequence_state_of(sequence);
        const bool ascends_past = now.increment > 0 && above >= now.least && above < now.most;
        if (ascends_past && coming(now) <= above)
            DirectFunctionCall3(setval3_oid, ObjectIdGetDatum(sequence), Int64GetDatum(above),
                                BoolGetDatum(true));
        UnlockRelationOid(sequence, against_itself);
        return ascends_past;
    });
}

std::int64_t coming_value(Oid sequence) {
    return pg_call([=] { return coming(lockstep_sequence_state_of(sequence)); });
}

} // namespace lockstep
