// The movements that this session is in the middle of: a trigger of the ledger may call lockstep
// again. A nested movement of a row that an outer one has written and not yet booked would be
// booked before it, with balances that do not follow from each other; so it is refused.
#pragma once

#include "ledger/ledger.hpp"

#include "core/request_id.hpp"

#include <span>

namespace lockstep {

class in_progress {
  public:
    // Keys in canonical order and ids in order; both outlive the scope. 55000 where one of them is
    // under way already.
    in_progress(const ledger &target, std::span<const Datum> keys, std::span<const uuid_bytes> ids);
    ~in_progress() { innermost_ = next_; }
    in_progress(const in_progress &) = delete;
    in_progress &operator=(const in_progress &) = delete;

  private:
    void check_apart(const ledger &target, const in_progress &outer) const;

    static inline constinit const in_progress *innermost_ = nullptr;

    Oid table_;
    std::span<const Datum> keys_;
    std::span<const uuid_bytes> ids_;
    const in_progress *next_ = nullptr;
};

} // namespace lockstep
