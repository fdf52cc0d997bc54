#include "pg/sequence.hpp"

extern "C" {
#include "pg/sequence_page.h"
}

namespace lockstep {

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
    return pg_call([=] { return lockstep_raise_sequence(sequence, above); });
}

std::int64_t coming_value(Oid sequence) {
    const lockstep_sequence_state state =
        pg_call([=] { return lockstep_sequence_state_of(sequence); });
    return state.is_called ? state.last_value + state.increment : state.last_value;
}

} // namespace lockstep
