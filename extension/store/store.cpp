#include "store/store.hpp"

#include "ledger/choice.hpp"
#include "store/heap_store.hpp"
#include "store/spi_store.hpp"

namespace lockstep {

std::unique_ptr<store> store_for(const ledger &in) {
    if (is_served_by_heap(in))
        return std::make_unique<heap_store>(in);
    return statements_for(in);
}

std::unique_ptr<store> statements_for(const ledger &in) {
    return std::make_unique<spi_store>(in);
}

call_vector<std::int64_t> next_entries(const ledger &in, std::size_t count) {
    call_vector<std::int64_t> entries(count);
    const Oid sequence = in.layout.entry_sequence;
    std::int64_t *out = entries.data();
    pg_call([=] {
        for (std::size_t i = 0; i < count; ++i) {
            CHECK_FOR_INTERRUPTS();
            out[i] = nextval_internal(sequence, false);
        }
    });
    return entries;
}

} // namespace lockstep
