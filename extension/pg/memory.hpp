// The current memory context, switched for a scope and put back on success and on error.
#pragma once

#include "pg/boundary.hpp"

namespace lockstep {

class memory_scope {
  public:
    explicit memory_scope(MemoryContext context) noexcept
        : before_(MemoryContextSwitchTo(context)) {}
    ~memory_scope() { MemoryContextSwitchTo(before_); }
    memory_scope(const memory_scope &) = delete;
    memory_scope &operator=(const memory_scope &) = delete;

  private:
    MemoryContext before_;
};

} // namespace lockstep
