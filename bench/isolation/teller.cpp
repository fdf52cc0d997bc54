#include "isolation/teller.hpp"

#include "common/run.hpp"
#include "core/backoff.hpp"

#include <fmt/format.h>

#include <array>
#include <thread>

namespace lockstep::bench {
namespace {

constexpr auto *call = "bench call";

} // namespace

teller::teller(session &link, const way &which, bool flush, std::uint64_t seed)
    : link_(link), random_(seed) {
    link_.run("DISCARD ALL");
    link_.run(fmt::format("SET synchronous_commit = {}", flush ? "on" : "off"));
    // A statement alone is a transaction, so all it takes is one round trip.
    link_.run(fmt::format("SET default_transaction_isolation = '{}'", name_of(which.at)));
    link_.prepare(call, bank::statement_of(which.how));
}

aborts teller::run(const errand &wanted) {
    const std::array<value, 4> values{value{std::to_string(wanted.from)},
                                      value{std::to_string(wanted.to)},
                                      value{std::to_string(wanted.amount)}, value{wanted.id}};
    aborts met;
    for (int failed = 0;; ++failed) {
        check_not_interrupted();
        try {
            link_.run_prepared(call, values);
            return met;
        } catch (const sql_failure &failure) {
            if (failure.sqlstate() == "40001")
                ++met.serialization;
            else if (failure.sqlstate() == "40P01")
                ++met.deadlock;
            else
                throw;
        }
        std::this_thread::sleep_for(full_jitter(conflict_backoff, failed, random_()));
    }
}

} // namespace lockstep::bench
