#include "ledger/match_columns.hpp"

#include <cstddef>
#include <cstring>

namespace lockstep {

namespace {

inline namespace guarded {

Oid equality_of(Oid type) {
    const TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_EQ_OPR);
    return OidIsValid(entry->eq_opr) ? get_opcode(entry->eq_opr) : InvalidOid;
}

void fill(match_column &made, const column &from) {
    std::memcpy(made.name, from.name, NAMEDATALEN);
    made.number = from.number;
    made.type = from.type;
    made.collation = from.collation;
    get_typlenbyval(from.type, &made.length, &made.by_value);
    fmgr_info(equality_of(from.type), &made.equals);
    Oid output = InvalidOid;
    bool varlena = false;
    getTypeOutputInfo(from.type, &output, &varlena);
    fmgr_info(output, &made.output);
}

} // namespace guarded
} // namespace

bool can_be_matched(Oid type) {
    return OidIsValid(pg_call([type] { return equality_of(type); }));
}

const match_column *match_columns_of(std::span<const column> columns) {
    const column *first = columns.data();
    const std::size_t count = columns.size();
    return pg_call([=]() -> const match_column * {
        if (count == 0)
            return nullptr;
        auto *made = static_cast<match_column *>(palloc0(sizeof(match_column) * count));
        for (std::size_t i = 0; i < count; ++i)
            fill(made[i], first[i]);
        return made;
    });
}

} // namespace lockstep
