// What throws, catches, or waits for a destructor in another way.
#include "pg/boundary.hpp"

#include "core/sql_error.hpp"

#include <array>
#include <charconv>
#include <new>
#include <optional>

namespace lockstep {

namespace {

inline namespace guarded {

struct slow {
    explicit slow(int start) : value(start) { CHECK_FOR_INTERRUPTS(); }
    int value;
};

int first_use(int number) {
    static const slow made{number}; // refused: static that is made on first use
    return made.value;
}

} // namespace guarded

int refuse(int number) {
    if (number > 3)
        throw pg_error{}; // refused: throws
    return number;
}

int swallow(int number) {
    try {
        return refuse(number);
    } catch (const pg_error &) { // refused: catches
        return 0;
    }
}

} // namespace

int everything(int number, std::optional<int> maybe, const std::array<int, 3> &three) {
    pg_call([=] { return refuse(number); });
    pg_call([=] { return swallow(number); });
    pg_call([=] { return first_use(number); });
    pg_call([=] { return maybe.value(); });                              // refused: throws
    pg_call([&] { return three.at(static_cast<std::size_t>(number)); }); // refused: may throw
    pg_call([=] { return *new int{number}; });                           // refused: new
    pg_call([=] { pg_call([] { CHECK_FOR_INTERRUPTS(); }); }); // refused: pg_call inside pg_call
    return number;
}

} // namespace lockstep
