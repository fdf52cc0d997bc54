#include "retry/report.hpp"

#include <fmt/format.h>

namespace lockstep::bench {

void print_scene(screen &out, const results &all, const conditions &where) {
    out.print(fmt::format("\n{}\n  {:<30}{:>24}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}{:>6}{:>9}{:>9}\n",
                          name_of(where), "", "commits/s (least..most)", "p50 ms", "p95 ms",
                          "p99 ms", "most ms", "felt ms", "attempts", "p99", "cpu us", "slowest"));
    for (const auto how : all_ways()) {
        const auto *const seen = find(all, where, how);
        if (seen == nullptr)
            continue;
        const auto middle = [&](double load_seen::*figure) {
            return shortened(median(*seen, figure));
        };
        out.print(fmt::format(
            "  {:<30}{:>24}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}{:>6}{:>9}{:>8.0f}%\n", label_of(how),
            with_spread(each_turn(*seen, &load_seen::commits_per_second)),
            middle(&load_seen::p50_ms), middle(&load_seen::p95_ms), middle(&load_seen::p99_ms),
            shortened(percentile(each_turn(*seen, &load_seen::most_ms), 1)),
            middle(&load_seen::felt_ms), fmt::format("{:.2f}", median(*seen, &load_seen::attempts)),
            middle(&load_seen::attempts_p99), middle(&load_seen::server_us),
            100 * median(*seen, &load_seen::slowest_share)));
    }
}

bool print_verdict(screen &out, const results &all) {
    for (const auto &each : all.wrong)
        out.print("  " + each + "\n");
    out.print(all.wrong.empty()
                  ? "\nAfter every measurement: what was acknowledged is there, once, and in an "
                    "order\n\n"
                  : fmt::format("\nWRONG: {}\n\n", all.wrong.size()));
    return all.wrong.empty();
}

} // namespace lockstep::bench
