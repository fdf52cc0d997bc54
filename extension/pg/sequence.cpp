#include "pg/sequence.hpp"

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

} // namespace lockstep
