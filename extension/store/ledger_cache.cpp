#include "store/ledger_cache.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"
#include "store/statements.hpp"

#include <string>
#include <utility>

namespace lockstep::ledger_cache {

namespace {

struct entry {
    Oid table; // the hash key
    ledger *described;
    bool valid;
};

// A description that was replaced while a call may still be using it.
struct retired {
    ledger *described;
    retired *next;
};

HTAB *entries = nullptr;
MemoryContext memory = nullptr;
retired *retired_first = nullptr;
int uses = 0;
// Counts the changes that could touch the ledger that is being described just now.
Oid describing = InvalidOid;
uint64 changes = 0;

void free_description(ledger *described) noexcept {
    release_statements(*described);
    MemoryContextDelete(GetMemoryChunkContext(described));
}

bool concerns(const ledger &described, Oid relation) noexcept {
    if (relation == described.journal)
        return true;
    for (int i = 0; i < described.family.count; ++i)
        if (relation == described.family.members[i])
            return true;
    return false;
}

// Runs inside the server's invalidation processing: looks at nothing but its own memory.
void forget(Oid relation) noexcept {
    if (entries == nullptr)
        return;
    if (relation == InvalidOid || relation == describing)
        ++changes;
    HASH_SEQ_STATUS scan;
    hash_seq_init(&scan, entries);
    while (auto *one = static_cast<entry *>(hash_seq_search(&scan)))
        if (one->described != nullptr &&
            (relation == InvalidOid || concerns(*one->described, relation)))
            one->valid = false;
}

void make_table() {
    pg_call([] {
        memory =
            AllocSetContextCreate(CacheMemoryContext, "lockstep ledgers", ALLOCSET_SMALL_SIZES);
        HASHCTL control{};
        control.keysize = sizeof(Oid);
        control.entrysize = sizeof(entry);
        control.hcxt = memory;
        entries =
            hash_create("lockstep ledgers", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    });
}

// A description in the making, freed where making the rest of it fails.
class unfinished {
  public:
    unfinished()
        : made_(static_cast<ledger *>(pg_call([] {
              MemoryContext own =
                  AllocSetContextCreate(memory, "lockstep ledger", ALLOCSET_SMALL_SIZES);
              return MemoryContextAllocZero(own, sizeof(ledger));
          }))) {}
    ~unfinished() {
        if (made_ != nullptr)
            free_description(made_);
    }
    unfinished(const unfinished &) = delete;
    unfinished &operator=(const unfinished &) = delete;

    [[nodiscard]] ledger &made() { return *made_; }
    ledger *keep() { return std::exchange(made_, nullptr); }

  private:
    ledger *made_;
};

ledger *describe(Relation relation) {
    const registration row = registration_of_ledger(relation);
    unfinished building;
    describe_ledger(building.made(), relation, row);
    return building.keep();
}

void retire(ledger *described) {
    auto *one =
        static_cast<retired *>(pg_call([] { return MemoryContextAlloc(memory, sizeof(retired)); }));
    one->described = described;
    one->next = retired_first;
    retired_first = one;
}

} // namespace

extern "C" {
static void lockstep_relation_changed(Datum, Oid relation) {
    forget(relation);
}

static void lockstep_schema_changed(Datum, int, uint32) {
    forget(InvalidOid);
}
}

void install() {
    CacheRegisterRelcacheCallback(lockstep_relation_changed, Datum{0});
    // The statements name schemas, and renaming one changes no table.
    CacheRegisterSyscacheCallback(NAMESPACEOID, lockstep_schema_changed, Datum{0});
    // So do they name operators, and an extension may move to another schema with its operators.
    CacheRegisterSyscacheCallback(OPEROID, lockstep_schema_changed, Datum{0});
}

use::use() noexcept {
    ++uses;
}

use::~use() {
    if (--uses > 0)
        return;
    while (retired_first != nullptr) {
        retired *one = retired_first;
        retired_first = one->next;
        free_description(one->described);
        pfree(one);
    }
}

const ledger &find(Oid table) {
    if (entries == nullptr)
        make_table();
    // The lock first: it brings the news of changes that others have committed.
    const Relation relation = open_relation(table, RowExclusiveLock);
    if (relation == nullptr)
        throw sql_error(state::not_a_ledger,
                        "relation with OID " + std::to_string(table) + " does not exist");

    auto *one = static_cast<entry *>(pg_call([&table] {
        bool found = false;
        auto *made = static_cast<entry *>(hash_search(entries, &table, HASH_ENTER, &found));
        if (!found) {
            made->described = nullptr;
            made->valid = false;
        }
        return made;
    }));
    // The journal's lock brings the news of the journal, as the table's does of the table.
    if (one->valid) {
        const Oid journal = one->described->journal;
        pg_call([journal] { LockRelationOid(journal, RowExclusiveLock); });
    }
    if (!one->valid) {
        if (one->described != nullptr)
            retire(std::exchange(one->described, nullptr));
        describing = table;
        const uint64 before = changes;
        one->described = describe(relation);
        // Changed once more while it was described: good for this call, whose locks hold the tables
        // as they are; described anew for the next.
        one->valid = changes == before;
    }
    close_relation(relation);
    return *one->described;
}

} // namespace lockstep::ledger_cache
