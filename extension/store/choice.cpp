#include "store/choice.hpp"

#include "ledger/choice.hpp"
#include "store/heap_store.hpp"
#include "store/spi_store.hpp"

namespace lockstep {

std::unique_ptr<store> store_for(const ledger &target) {
    if (is_served_by_heap(target))
        return std::make_unique<heap_store>(target);
    return statements_for(target);
}

std::unique_ptr<store> statements_for(const ledger &target) {
    return std::make_unique<spi_store>(target);
}

} // namespace lockstep
