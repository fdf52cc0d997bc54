// One connection that books transfers in one way.
#pragma once

#include "common/session.hpp"
#include "transfers/contestants.hpp"
#include "transfers/workload.hpp"

#include <span>
#include <vector>

namespace lockstep::bench {

class teller {
  public:
    // among_others: other sessions book in the same way at the same time.
    teller(session &link, way how, bool flush, bool among_others);

    // What a call needs, in binary form. Made before the clock runs.
    using order = std::vector<value>;
    [[nodiscard]] order order_for(std::span<const wish> wishes) const;

    // Sends it, waits for the commit, and fetches every answer. Throws when an item was not
    // applied.
    void book(const order &what, std::size_t items);

  private:
    void book_by_client(const order &what);

    session &link_;
    way how_;
    bool among_others_;
};

} // namespace lockstep::bench
