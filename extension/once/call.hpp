// CALL lockstep.once: once_begin, statements and once_finish in the transaction of each attempt.
#pragma once

#include "once/held_requests.hpp"
#include "retry/attempts.hpp"

namespace lockstep {

class once_frame : public attempt_frame {
  public:
    // By the role of the caller, whatever role the statements set. The fingerprint is made of the
    // statements and their parameters.
    once_frame(const uuid_bytes &id, const retry_request &request);

    std::optional<Datum> begin(MemoryContext outside) override;
    // The rows as jsonb; an empty array where the statements return none.
    Datum finish(std::optional<Datum> rows, MemoryContext outside) override;

    // Whether the answer is that of an earlier call.
    [[nodiscard]] bool is_replayed() const noexcept { return replayed_; }

  private:
    request_key key_;
    std::string fingerprint_;
    bool replayed_ = false;
};

} // namespace lockstep
