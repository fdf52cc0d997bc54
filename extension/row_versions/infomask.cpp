#include "row_versions/infomask.hpp"

#include <array>

namespace lockstep {

namespace {

struct flag {
    uint32 bit; // those of infomask2 above 16 bits
    const char *name;
    const char *words;
};

constexpr uint32 second(uint32 bit) {
    return bit << 16;
}

constexpr std::array flags{
    flag{HEAP_HASNULL, "HEAP_HASNULL", "has nulls"},
    flag{HEAP_HASVARWIDTH, "HEAP_HASVARWIDTH", "has values of any length"},
    flag{HEAP_HASEXTERNAL, "HEAP_HASEXTERNAL", "has values kept elsewhere"},
    flag{HEAP_HASOID_OLD, "HEAP_HASOID_OLD", "has an OID"},
    flag{HEAP_XMAX_KEYSHR_LOCK, "HEAP_XMAX_KEYSHR_LOCK", "key share lock"},
    flag{HEAP_COMBOCID, "HEAP_COMBOCID", "combined command id"},
    flag{HEAP_XMAX_EXCL_LOCK, "HEAP_XMAX_EXCL_LOCK", "exclusive lock"},
    flag{HEAP_XMAX_LOCK_ONLY, "HEAP_XMAX_LOCK_ONLY", "xmax only locks"},
    flag{HEAP_XMIN_COMMITTED, "HEAP_XMIN_COMMITTED", "xmin committed"},
    flag{HEAP_XMIN_INVALID, "HEAP_XMIN_INVALID", "xmin aborted"},
    flag{HEAP_XMAX_COMMITTED, "HEAP_XMAX_COMMITTED", "xmax committed"},
    flag{HEAP_XMAX_INVALID, "HEAP_XMAX_INVALID", "xmax invalid"},
    flag{HEAP_XMAX_IS_MULTI, "HEAP_XMAX_IS_MULTI", "xmax is a multixact"},
    flag{HEAP_UPDATED, "HEAP_UPDATED", "made by an update"},
    flag{HEAP_MOVED_OFF, "HEAP_MOVED_OFF", "moved off by an old VACUUM FULL"},
    flag{HEAP_MOVED_IN, "HEAP_MOVED_IN", "moved in by an old VACUUM FULL"},
    flag{second(HEAP_KEYS_UPDATED), "HEAP_KEYS_UPDATED", "key updated or deleted"},
    flag{second(HEAP_HOT_UPDATED), "HEAP_HOT_UPDATED", "HOT updated"},
    flag{second(HEAP_ONLY_TUPLE), "HEAP_ONLY_TUPLE", "heap only"}};

// Two bits that mean something else together.
struct pair_of_flags {
    uint32 bits;
    const char *words;
};
constexpr std::array pairs{pair_of_flags{HEAP_XMIN_FROZEN, "xmin frozen"},
                           pair_of_flags{HEAP_XMAX_SHR_LOCK, "share lock"}};

uint32 bits_of(const HeapTupleHeaderData *version) {
    return version->t_infomask | second(version->t_infomask2);
}

} // namespace

std::vector<std::string> flag_names(const HeapTupleHeaderData *version) {
    std::vector<std::string> names;
    for (const flag &one : flags)
        if ((bits_of(version) & one.bit) != 0)
            names.emplace_back(one.name);
    return names;
}

std::string flag_words(const HeapTupleHeaderData *version) {
    std::string text;
    uint32 left = bits_of(version);
    for (const flag &one : flags) {
        if ((left & one.bit) == 0)
            continue;
        const char *words = one.words;
        for (const pair_of_flags &both : pairs)
            if ((one.bit & both.bits) != 0 && (left & both.bits) == both.bits) {
                words = both.words;
                left &= ~both.bits;
            }
        text += (text.empty() ? "" : ", ") + std::string{words};
    }
    return text;
}

} // namespace lockstep
