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

} // namespace lockstep
