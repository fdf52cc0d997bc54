#include "detail/random.hpp"

#include <random>

namespace lockstep::detail {

std::uint64_t random_bits() {
    thread_local std::mt19937_64 generator = [] {
        std::random_device source;
        std::seed_seq seed{source(), source(), source(), source()};
        return std::mt19937_64(seed);
    }();
    return generator();
}

} // namespace lockstep::detail
