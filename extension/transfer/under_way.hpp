// The movements that this session is in the middle of: a trigger of the ledger may call lockstep
// again. A nested movement of a row that an outer one has written and not yet booked would be
// booked before it, with balances that do not follow from each other; so it is refused.
#pragma once

#include "ledger/ledger.hpp"

#include "core/request_id.hpp"

#include <span>

namespace lockstep {

class under_way {
  public:
    // Keys in canonical order and ids in order; both outlive the scope. 55000 where one of them is
    // under way already.
    under_way(const ledger &in, std::span<const Datum> keys, std::span<const uuid_bytes> ids);
    ~under_way() { innermost_ = next_; }
    under_way(const under_way &) = delete;
    under_way &operator=(const under_way &) = delete;

  private:
    void check_apart(const ledger &in, const under_way &outer) const;

    static inline constinit const under_way *innermost_ = nullptr;

    Oid table_;
    std::span<const Datum> keys_;
    std::span<const uuid_bytes> ids_;
    const under_way *next_ = nullptr;
};

} // namespace lockstep
