#include "chunks/chunk_rows.hpp"

#include "core/sql_error.hpp"
#include "locking/key_columns.hpp"
#include "locking/row_locks.hpp"
#include "pg/call_memory.hpp"
#include "pg/memory.hpp"
#include "retry/parameters.hpp"

#include <memory>

namespace lockstep {

namespace {

// Code of the user's, of domains and the like, may look at tables while keys are read.
class snapshot_scope {
  public:
    snapshot_scope() {
        pg_call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
    }
    // Not called on an error: then the server does it.
    void end() {
        pg_call([] { PopActiveSnapshot(); });
    }
};

// The keys by position, distinct and in canonical order.
call_vector<Datum> in_order(const row_numbers &numbers, const call_vector<Datum> &keys) {
    call_vector<Datum> ordered;
    ordered.reserve(numbers.place_of.size());
    for (const std::uint32_t place : numbers.place_of)
        ordered.push_back(keys[place]);
    return ordered;
}

call_vector<Datum> texts_of(const key_list &keys, std::size_t from, std::size_t to) {
    call_vector<Datum> texts;
    texts.reserve(to - from);
    for (std::size_t i = from; i < to; ++i) {
        const std::string_view key = keys[i];
        const char *first = key.data();
        const auto length = static_cast<int>(key.size());
        texts.push_back(
            pg_call([=] { return PointerGetDatum(cstring_to_text_with_len(first, length)); }));
    }
    return texts;
}

// The types of the arrays that the statement is given.
std::vector<Oid> array_types(const key_columns &columns) {
    std::vector<Oid> types;
    for (const Oid type : columns.types()) {
        const Oid array = pg_call([type] { return get_array_type(type); });
        if (!OidIsValid(array))
            throw sql_error(state::feature_not_supported,
                            "there are no arrays of type " + shown_type(type) +
                                ", which keys could be given to the statement in");
        types.push_back(array);
    }
    return types;
}

} // namespace

sorted_keys sort_keys(const chunk_table &target, const array_elements &given) {
    const call_memory memory;
    snapshot_scope snapshot;
    table_use use{target.table, target.key_columns};
    const key_type &type = use.table().key;
    static_cast<void>(array_types(key_columns{type}));
    const call_vector<Datum> keys = use.keys_from(given.values, given.type, "key");
    const call_vector<Datum> ordered = in_order(number_keys_of(type, keys), keys);
    const auto no_nulls = std::make_unique<bool[]>(ordered.size());
    sorted_keys sorted{
        {}, qualified_name(use.relation()), static_cast<int>(use.key_columns().size())};
    for (const auto &text :
         written_parameters({ordered, {no_nulls.get(), ordered.size()}, type.type}))
        sorted.keys.add(text.value_or(""));
    use.close();
    snapshot.end();
    return sorted;
}

locked_chunk lock_chunk(const chunk_table &target, const key_list &keys, std::size_t from,
                        std::size_t to) {
    const MemoryContext outside = CurrentMemoryContext;
    locked_chunk chunk{};
    const call_memory memory;
    snapshot_scope snapshot;
    table_use use{target.table, target.key_columns};
    const key_type &type = use.table().key;
    const key_columns columns{type};
    const std::vector<Oid> types = array_types(columns);
    const call_vector<Datum> read = use.keys_from(texts_of(keys, from, to), TEXTOID, "key");
    const row_numbers numbers = number_keys_of(type, read);
    const call_vector<Datum> ordered = in_order(numbers, read);
    const call_vector<bool> locked = lock_rows(use, ordered, target.strength, lock_wait::block);
    call_vector<Datum> found;
    for (std::size_t i = 0; i < ordered.size(); ++i)
        if (locked[i])
            found.push_back(ordered[i]);
        else
            chunk.missing.push_back(from + numbers.place_of[i]);
    chunk.locked = found.size();
    {
        const memory_scope scope{outside};
        const spi_parameters arrays = columns.arrays(found);
        for (std::size_t i = 0; i < types.size(); ++i)
            chunk.arrays.push_back({types[i], arrays.values()[i]});
    }
    use.close();
    snapshot.end();
    return chunk;
}

} // namespace lockstep
