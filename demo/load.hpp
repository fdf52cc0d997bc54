// The load: threads that move amounts between random and hot accounts, and a helper that kills
// their server processes meanwhile.
#pragma once

#include "options.hpp"

#include <lockstep/lockstep.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::demo {

// What the threads of a run have seen, added up.
struct outcome {
    std::vector<request_id> acknowledged;         // told as applied
    std::map<std::string, std::uint64_t> retries; // by SQLSTATE; "" is a link lost without one
    std::vector<std::string> failures; // calls that ended in an exception, or in a refusal
    std::uint64_t in_doubt = 0;        // commits whose answer was lost, and that were found out
    std::uint64_t killed = 0;
    std::chrono::duration<double> took{0};
};

// Read by the progress display while the load runs.
struct progress {
    std::chrono::duration<double> elapsed{0};
    std::uint64_t transfers = 0;
    std::uint64_t killed = 0;
};

class load {
  public:
    load(const options &wanted, std::string conninfo, std::int64_t accounts, std::uint64_t seed)
        : wanted_(wanted), conninfo_(std::move(conninfo)), accounts_(accounts), seed_(seed) {}

    // Runs until the time is over, or stop becomes true; tells how far it is a few times a second,
    // in the calling thread.
    [[nodiscard]] outcome run(const std::atomic<bool> &stop,
                              const std::function<void(const progress &)> &show);

  private:
    void transfer_until_over(client &caller, int number);
    void kill_until_over();
    [[nodiscard]] bool is_over() const;

    const options &wanted_;
    std::string conninfo_;
    std::int64_t accounts_;
    std::uint64_t seed_;
    std::chrono::steady_clock::time_point begun_;
    const std::atomic<bool> *stop_ = nullptr;
    std::atomic<std::uint64_t> transfers_ = 0;
    std::atomic<std::uint64_t> killed_ = 0;
    std::mutex mutex_;
    outcome all_; // each thread adds its own when it is done
};

} // namespace lockstep::demo
