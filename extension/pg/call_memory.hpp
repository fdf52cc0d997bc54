// The memory of one call. Fresh memory is dear: the system clears each page and hands it over, and
// in a large batch that was half of all that it cost. So a session keeps some of it from call to
// call, up to lockstep.kept_memory, and gives the rest back at the end of each.
#pragma once

#include "pg/boundary.hpp"

#include <memory_resource>

namespace lockstep {

// Defines lockstep.kept_memory. Once, when the module is loaded.
void install_memory_setting();

// For as long as it lives, it is the current memory context, for what the server allocates, and
// where call_vector has its elements (core/call_memory.hpp). A call within a call has memory of its
// own, which is not kept.
class call_memory {
  public:
    call_memory();
    ~call_memory();
    call_memory(const call_memory &) = delete;
    call_memory &operator=(const call_memory &) = delete;

    // Makes it current again, after an SPI session was opened in it.
    void enter() const noexcept { MemoryContextSwitchTo(for_server_); }

  private:
    // Takes from a memory context, and throws where there is no more.
    class resource final : public std::pmr::memory_resource {
      public:
        MemoryContext context = nullptr;
        std::size_t taken = 0; // bytes, all in all

      private:
        void *do_allocate(std::size_t bytes, std::size_t alignment) override;
        void do_deallocate(void *memory, std::size_t bytes, std::size_t alignment) override;
        [[nodiscard]] bool do_is_equal(const memory_resource &other) const noexcept override {
            return this == &other;
        }
    };

    MemoryContext before_;
    std::pmr::memory_resource *resource_before_;
    bool is_kept_;
    MemoryContext for_server_ = nullptr; // many small pieces that come and go
    resource for_containers_;            // few large ones
};

} // namespace lockstep
