#include "pg/call_memory.hpp"

#include "core/call_memory.hpp"

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#ifdef __GLIBC__
extern "C" int malloc_trim(std::size_t) noexcept; // malloc.h
#endif

namespace lockstep {

namespace {

constexpr int kilobyte = 1024;

int kept_kilobytes = 8 * kilobyte;

// Their first blocks have this size together, and survive a reset.
struct contexts {
    MemoryContext for_server;
    MemoryContext for_containers;
    int kilobytes;
};

contexts kept{};
bool is_in_use = false;
bool is_to_be_trimmed = false; // a large call has ended, and with it its statement by now

// After a large call the C library would keep what was freed, up to 64 MB: it has learned by then
// that such pieces come and go.
void give_back() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

inline namespace guarded {

// Into `made`, one after the other: where there is no memory for the second, the first is known.
void make_contexts(contexts *made, MemoryContext parent, int kilobytes) {
    // A quarter of it for the server: it needs less at once.
    const Size all = static_cast<Size>(kilobytes) * kilobyte;
    const Size server = MAXALIGN(all / 4);
    const Size containers = MAXALIGN(all - server);
    made->kilobytes = kilobytes;
    made->for_server = AllocSetContextCreateInternal(
        parent, "lockstep call", server, ALLOCSET_DEFAULT_INITSIZE,
        std::max(server, static_cast<Size>(ALLOCSET_DEFAULT_MAXSIZE)));
    // A generation context has in its blocks what is no larger than some part of the largest: then
    // nothing that fits into what is kept is fetched apart.
    constexpr Size largest_block = Size{256} * kilobyte * kilobyte;
    made->for_containers =
        GenerationContextCreate(parent, "lockstep call containers", containers,
                                ALLOCSET_DEFAULT_INITSIZE, std::max(containers, largest_block));
}

} // namespace guarded

void delete_contexts(contexts &made) {
    if (made.for_containers != nullptr)
        MemoryContextDelete(made.for_containers);
    if (made.for_server != nullptr)
        MemoryContextDelete(made.for_server);
    made = {};
}

} // namespace

void install_memory_setting() {
    constexpr int least_kilobytes = 16;
    constexpr int most_kilobytes = 1024 * kilobyte; // no block of a context is larger
    DefineCustomIntVariable("lockstep.kept_memory",
                            "Memory that a session keeps from one transfer to the next.",
                            "What a larger batch needs more is given back when it is done.",
                            &kept_kilobytes, kept_kilobytes, least_kilobytes, most_kilobytes,
                            PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr, nullptr);
}

call_memory::call_memory()
    : before_(CurrentMemoryContext), resource_before_(call_resource()), is_kept_(!is_in_use) {
    if (is_kept_ && std::exchange(is_to_be_trimmed, false))
        give_back(); // the arguments and the result of that call
    contexts own{};
    contexts *const used = is_kept_ ? &kept : &own;
    if (!is_kept_) {
        pg_call([used] { make_contexts(used, CurrentMemoryContext, 0); });
    } else if (kept.for_containers == nullptr || kept.kilobytes != kept_kilobytes) {
        delete_contexts(kept);
        pg_call([used] { make_contexts(used, TopMemoryContext, kept_kilobytes); });
    }
    is_in_use = true;
    for_server_ = used->for_server;
    for_containers_.context = used->for_containers;
    call_resource() = &for_containers_;
    enter();
}

call_memory::~call_memory() {
    call_resource() = resource_before_;
    MemoryContextSwitchTo(before_);
    if (is_kept_) {
        constexpr std::size_t large = std::size_t{64} * kilobyte * kilobyte;
        is_to_be_trimmed = for_containers_.taken > large;
        MemoryContextReset(for_containers_.context);
        MemoryContextReset(for_server_);
        if (is_to_be_trimmed)
            give_back();
        is_in_use = false;
    } else {
        MemoryContextDelete(for_containers_.context);
        MemoryContextDelete(for_server_);
    }
}

void *call_memory::resource::do_allocate(std::size_t bytes, std::size_t alignment) {
    static_cast<void>(alignment);
    Assert(alignment <= MAXIMUM_ALIGNOF);
    const MemoryContext in = context;
    void *memory = pg_call(
        [=] { return MemoryContextAllocExtended(in, bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM); });
    if (memory == nullptr)
        throw std::bad_alloc();
    taken += bytes;
    return memory;
}

void call_memory::resource::do_deallocate(void *memory, std::size_t /*bytes*/,
                                          std::size_t /*alignment*/) {
    pfree(memory);
}

} // namespace lockstep
