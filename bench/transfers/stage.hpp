// What every measurement works with.
#pragma once

#include "common/screen.hpp"
#include "transfers/bank.hpp"
#include "transfers/figures.hpp"
#include "transfers/load.hpp"
#include "transfers/options.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace lockstep::bench {

struct stage {
    const options &wanted;
    std::string conninfo;
    screen &out;
    bank &tables;
    std::mt19937_64 random;
    results all;

    // After each measurement: what does not hold is remembered.
    void check(way how, std::size_t booked) {
        for (const auto &each : tables.check(how, booked))
            all.wrong.push_back(each);
    }

    // So that what changes on the machine meanwhile hits every contestant.
    std::vector<std::size_t> shuffled(std::size_t count) {
        std::vector<std::size_t> order(count);
        for (std::size_t i = 0; i < count; ++i)
            order[i] = i;
        std::shuffle(order.begin(), order.end(), random);
        return order;
    }
};

} // namespace lockstep::bench
