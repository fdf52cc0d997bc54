// One connection that runs transactions in one way.
#pragma once

#include "common/session.hpp"
#include "retry/jobs.hpp"
#include "retry/ways.hpp"

#include <random>

namespace lockstep::bench {

class worker {
  public:
    worker(session &link, way how, job what, bool flush, std::uint64_t seed);

    // Returns when it is committed, and says in how many attempts. Throws what is worth no retry.
    int run(const errand &wanted);

  private:
    int by_retry(const errand &wanted);
    int by_loop(const errand &wanted);
    void attempt(const errand &wanted);
    void pause(int nth);

    session &link_;
    way how_;
    job what_;
    std::mt19937_64 random_;
};

} // namespace lockstep::bench
