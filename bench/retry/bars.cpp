#include "retry/bars.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::bench {
namespace {

constexpr double noise = 1.1; // so much is not a difference

// In every state one way's figure goes so often into the other's; at most that often is meant.
bar of_ratios(const results &all, const std::string &what, double load_seen::*figure, way over,
              way under, double most) {
    bar result{what, "", false};
    std::vector<double> ratios;
    std::string worst;
    for (const auto &where : all.scenes) {
        const auto *const above = find(all, where, over);
        const auto *const below = find(all, where, under);
        if (above == nullptr || below == nullptr || !(median(*below, figure) > 0))
            continue;
        const auto ratio = median(*above, figure) / median(*below, figure);
        if (ratios.empty() || ratio > *std::max_element(ratios.begin(), ratios.end()))
            worst = name_of(where);
        ratios.push_back(ratio);
    }
    if (ratios.empty())
        return result;
    const auto greatest = *std::max_element(ratios.begin(), ratios.end());
    result.measured = true;
    result.met = greatest <= most;
    result.figures = fmt::format("{} over {}: {:.2f} ({:.2f}..{:.2f}; {})", label_of(over),
                                 label_of(under), geometric_mean(ratios),
                                 *std::min_element(ratios.begin(), ratios.end()), greatest, worst);
    return result;
}

} // namespace

std::vector<bar> bars_of(const results &all) {
    return {of_ratios(all, "everywhere as many commits as the client's loop (10 % is noise)",
                      &load_seen::commits_per_second, way::client, way::retry, noise),
            of_ratios(all, "everywhere a p99 no longer than the client's loop", &load_seen::p99_ms,
                      way::retry, way::client, noise),
            of_ratios(all, "everywhere felt no longer than the client's loop", &load_seen::felt_ms,
                      way::retry, way::client, noise),
            of_ratios(all, "everywhere as many commits as the loop around a function",
                      &load_seen::commits_per_second, way::function, way::retry, noise),
            of_ratios(all, "the pause costs no commits", &load_seen::commits_per_second,
                      way::retry_eager, way::retry, noise),
            of_ratios(all, "the pause doubles no p99", &load_seen::p99_ms, way::retry,
                      way::retry_eager, 2)};
}

std::vector<panel> panels_of(const results &all) {
    std::vector<panel> panels;
    for (const auto &where : all.scenes) {
        panel commits{name_of(where) + ": commits a second", {}, 100, 100'000};
        panel felt{name_of(where) + ": felt, ms", {}, 0.1, 10'000};
        for (const auto how : all_ways())
            if (const auto *const seen = find(all, where, how)) {
                commits.bars.push_back({label_of(how), is_ours(how),
                                        each_turn(*seen, &load_seen::commits_per_second)});
                felt.bars.push_back(
                    {label_of(how), is_ours(how), each_turn(*seen, &load_seen::felt_ms)});
            }
        panels.push_back(commits);
        panels.push_back(felt);
    }
    return panels;
}

} // namespace lockstep::bench
