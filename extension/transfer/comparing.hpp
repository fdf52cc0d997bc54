// While the columns in which rows must agree are compared: the operator of a type of the user's is
// the user's code. It runs between the lock of the rows and their writing, and may look at anything
// but change nothing: what it wrote to a row would be written over.
#pragma once

#include "ledger/ledger.hpp"

namespace lockstep {

class comparing {
  public:
    explicit comparing(const ledger &target);

    // 27000 where something was written since, 55006 where the ledger has changed.
    void finish() const;

  private:
    const ledger &target_;
    CommandId begun_ = 0;
};

} // namespace lockstep
