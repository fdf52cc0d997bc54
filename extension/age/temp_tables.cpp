#include "age/temp_tables.hpp"

#include "age/holder_of.hpp"
#include "pg/values.hpp"

#include <algorithm>
#include <cstring>
#include <map>

namespace lockstep {

namespace {

// Of one scan: what is temporary, and the oldest of all the rest.
struct found_tables {
    struct one {
        Oid schema;
        TransactionId frozen;
        NameData name;
    };
    one *temporary;
    int count;
    TransactionId oldest_other;
};

// Named in one statement.
constexpr std::int32_t most_names = 20;

found_tables scan() {
    return pg_call([] {
        found_tables found{nullptr, 0, InvalidTransactionId};
        int room = 64;
        found.temporary = static_cast<found_tables::one *>(
            palloc(sizeof(found_tables::one) * static_cast<Size>(room)));
        const Relation classes = table_open(RelationRelationId, AccessShareLock);
        const SysScanDesc rows =
            systable_beginscan(classes, InvalidOid, false, nullptr, 0, nullptr);
        for (HeapTuple row = systable_getnext(rows); HeapTupleIsValid(row);
             row = systable_getnext(rows)) {
            const auto *table = reinterpret_cast<Form_pg_class>(GETSTRUCT(row));
            if (!TransactionIdIsNormal(table->relfrozenxid))
                continue;
            if (table->relpersistence != RELPERSISTENCE_TEMP) {
                if (found.oldest_other == InvalidTransactionId ||
                    TransactionIdPrecedes(table->relfrozenxid, found.oldest_other))
                    found.oldest_other = table->relfrozenxid;
                continue;
            }
            // The rows behind long values are in another schema, and go with their table.
            if (table->relkind == RELKIND_TOASTVALUE)
                continue;
            if (found.count == room) {
                room *= 2;
                found.temporary = static_cast<found_tables::one *>(
                    repalloc(found.temporary, sizeof(found_tables::one) * static_cast<Size>(room)));
            }
            found.temporary[found.count++] = {table->relnamespace, table->relfrozenxid,
                                              table->relname};
        }
        systable_endscan(rows);
        table_close(classes, AccessShareLock);
        return found;
    });
}

std::int32_t owner_of(Oid schema, const age_instant &now) {
    for (std::int32_t i = 0; i < now.process_count; ++i)
        if (now.processes[i].temp_schema == schema &&
            now.processes[i].process.database == MyDatabaseId)
            return i;
    return -1;
}

} // namespace

std::vector<temp_tables> temp_tables_of(const age_instant &now) {
    const age::xid_place next = next_place(now);
    const found_tables found = scan();
    // The catalog has no order.
    std::sort(found.temporary, found.temporary + found.count,
              [](const found_tables::one &a, const found_tables::one &b) {
                  return std::strcmp(NameStr(a.name), NameStr(b.name)) < 0;
              });
    std::map<Oid, temp_tables> by_schema;
    for (int i = 0; i < found.count; ++i) {
        const auto &[schema, frozen, name] = found.temporary[i];
        const age::xid_place place = age::place_of(frozen, next);
        temp_tables &all =
            by_schema.try_emplace(schema, temp_tables{schema, {}, {}, 0, place, 0, false, -1})
                .first->second;
        // A statement with all names of thousands is of no use; it can be run again.
        if (++all.count <= most_names) {
            if (all.schema_name.empty())
                all.schema_name =
                    copied(pg_call([oid = schema] { return get_namespace_name(oid); }));
            const char *space = all.schema_name.c_str();
            const char *table = NameStr(name);
            all.names += (all.names.empty() ? "" : ", ") +
                         copied(pg_call([=] { return quote_qualified_identifier(space, table); }));
        }
        all.oldest = std::min(all.oldest, place);
    }
    std::vector<temp_tables> tables;
    for (auto &[schema, all] : by_schema) {
        all.process = owner_of(schema, now);
        tables.push_back(all);
    }
    for (temp_tables &one : tables) {
        age::xid_place others = std::min(age::place_of(found.oldest_other, next), next);
        for (const temp_tables &other : tables)
            if (other.schema != one.schema)
                others = std::min(others, other.oldest);
        one.is_oldest = one.oldest <= others;
        one.gain = std::max<std::int64_t>(others - one.oldest, 0);
    }
    return tables;
}

} // namespace lockstep
