// Where the containers of one call have their memory. They come and go with every call and are
// large in a large batch: what a session keeps for them is not fetched anew each time.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <vector>

namespace lockstep {

// What containers made from now on take their memory from.
[[nodiscard]] inline std::pmr::memory_resource *&call_resource() noexcept {
    static constinit std::pmr::memory_resource *current = nullptr;
    return current;
}

// The allocator of a container that does not outlive the call. It goes on with the resource that
// was current when it was made. Of the module's own: the library's default resource is the whole
// process's, and other modules have containers too.
template <class T>
class call_allocator {
  public:
    using value_type = T;
    using propagate_on_container_move_assignment = std::true_type;
    using propagate_on_container_swap = std::true_type;

    call_allocator() noexcept
        : resource_(call_resource() != nullptr ? call_resource()
                                               : std::pmr::new_delete_resource()) {}
    template <class Other>
    call_allocator(const call_allocator<Other> &other) noexcept : resource_(other.resource()) {}

    [[nodiscard]] T *allocate(std::size_t count) {
        if (count > static_cast<std::size_t>(-1) / sizeof(T))
            throw std::bad_array_new_length();
        return static_cast<T *>(resource_->allocate(count * sizeof(T), alignof(T)));
    }
    void deallocate(T *memory, std::size_t count) noexcept {
        resource_->deallocate(memory, count * sizeof(T), alignof(T));
    }
    [[nodiscard]] std::pmr::memory_resource *resource() const noexcept { return resource_; }

    template <class Other>
    [[nodiscard]] bool operator==(const call_allocator<Other> &other) const noexcept {
        return resource_ == other.resource();
    }

  private:
    std::pmr::memory_resource *resource_;
};

template <class T>
using call_vector = std::vector<T, call_allocator<T>>;

} // namespace lockstep
