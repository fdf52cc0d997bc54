#include "ledger/ledger_cache.hpp"

#include "core/sql_error.hpp"
#include "ledger/description.hpp"
#include "ledger/statements.hpp"
#include "pg/row_key.hpp"
#include "pg/values.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace lockstep::ledger_cache {

namespace {

struct entry {
    Oid table; // the hash key
    ledger *described;
};

// A description that was replaced while a call may still be using it.
struct retired {
    ledger *described;
    retired *next;
};

HTAB *entries = nullptr;
MemoryContext memory = nullptr;
retired *retired_first = nullptr;
use *innermost = nullptr;
// Counts the changes that could touch a ledger that is being described just now.
uint64 changes = 0;

void free_description(ledger *described) noexcept {
    release_statements(*described);
    MemoryContextDelete(GetMemoryChunkContext(described));
}

inline namespace guarded {

bool concerns(const ledger &described, Oid relation) noexcept {
    if (relation == InvalidOid || relation == described.journal ||
        relation == described.layout.entry_sequence ||
        (described.key.row != nullptr && relation == described.key.row->relation))
        return true;
    for (int i = 0; i < described.family.count; ++i)
        if (relation == described.family.members[i])
            return true;
    return false;
}

// Runs inside the server's invalidation processing: looks at nothing but its own memory.
template <class Test>
void forget_where(Test concerned) noexcept {
    if (entries == nullptr)
        return;
    const auto mark = [concerned](const ledger *described) {
        if (described != nullptr && concerned(*described))
            described->stale = true;
    };
    HASH_SEQ_STATUS scan;
    hash_seq_init(&scan, entries);
    while (auto *one = static_cast<entry *>(hash_seq_search(&scan)))
        mark(one->described);
    for (const retired *one = retired_first; one != nullptr; one = one->next)
        mark(one->described);
}

void forget(Oid relation) noexcept {
    ++changes; // what is being described is not known as a whole yet
    forget_where([relation](const ledger &described) { return concerns(described, relation); });
}

bool has_type(const key_type &key, uint32 hash) noexcept {
    if (key.type_hash == hash)
        return true;
    for (int i = 0; key.row != nullptr && i < key.row->count; ++i)
        if (key.row->parts[i].type_hash == hash)
            return true;
    return false;
}

// By the hash of the type; 0 is all of them.
void forget_type(uint32 hash) noexcept {
    ++changes;
    forget_where(
        [hash](const ledger &described) { return hash == 0 || has_type(described.key, hash); });
}

} // namespace guarded

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

entry &entry_of(Oid table) {
    if (entries == nullptr)
        make_table();
    return *static_cast<entry *>(pg_call([&table] {
        bool found = false;
        auto *made = static_cast<entry *>(hash_search(entries, &table, HASH_ENTER, &found));
        if (!found)
            made->described = nullptr;
        return made;
    }));
}

// What is known of tables that have changed or gone since makes room when another one comes. No
// description is in use.
void make_room_for(Oid table) {
    if (entries == nullptr)
        return;
    pg_call([&table] {
        if (hash_search(entries, &table, HASH_FIND, nullptr) != nullptr)
            return;
        HASH_SEQ_STATUS scan;
        hash_seq_init(&scan, entries);
        while (auto *one = static_cast<entry *>(hash_seq_search(&scan))) {
            if (one->described != nullptr && !one->described->stale)
                continue;
            if (one->described != nullptr)
                free_description(one->described);
            hash_search(entries, &one->table, HASH_REMOVE, nullptr);
        }
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

void retire(ledger *described) {
    auto *one =
        static_cast<retired *>(pg_call([] { return MemoryContextAlloc(memory, sizeof(retired)); }));
    one->described = described;
    one->next = retired_first;
    retired_first = one;
}

// Describes the ledger. What was known of it stays, with its plans, where nothing has changed.
void describe(entry &known, Relation table, Relation journal, const registration &row) {
    const uint64 before = changes;
    unfinished building;
    describe_ledger(building.made(), table, journal, row);
    // Changed once more meanwhile: good for this look, whose locks hold the tables as they are;
    // looked at anew by the next.
    const bool stale = changes != before;
    building.made().stale = stale;
    if (known.described != nullptr && is_same(*known.described, building.made())) {
        known.described->stale = stale;
        known.described->entries.looked = false;
        return;
    }
    if (known.described != nullptr)
        retire(std::exchange(known.described, nullptr));
    known.described = building.keep();
}

// Whether a key that was read by the one is a key of the other.
bool reads_the_same(const key_type &a, const key_type &b) {
    if (a.type != b.type || a.collation != b.collation || (a.row == nullptr) != (b.row == nullptr))
        return false;
    if (a.row == nullptr)
        return true;
    const auto parts = [](const key_row &row) {
        return std::span{row.parts, static_cast<std::size_t>(row.count)};
    };
    return std::ranges::equal(parts(*a.row), parts(*b.row), reads_the_same);
}

struct opened {
    Relation table;
    Relation journal;
    const ledger *described;
};

// Opens the table and its journal, and describes them where what is known of them is stale; nothing
// where a lock is not to be had at once, and may not be waited for.
std::optional<opened> open_both(Oid oid, LOCKMODE lock, bool waits) {
    const auto open_one = [=](Oid relation) {
        return waits ? open_relation(relation, lock) : open_if_free(relation, lock);
    };
    // The lock first: it brings the news of changes that others have committed.
    const Relation table = open_one(oid);
    if (table == nullptr && waits)
        throw sql_error(state::not_a_ledger,
                        "relation with OID " + std::to_string(oid) + " does not exist");
    if (table == nullptr)
        return std::nullopt;
    entry &known = entry_of(oid);
    const auto is_known = [&known] {
        return known.described != nullptr && !known.described->stale;
    };
    // The journal's lock brings the news of the journal, as the table's does of the table.
    Oid journal_oid = is_known() ? known.described->journal : InvalidOid;
    Relation journal = OidIsValid(journal_oid) ? open_one(journal_oid) : nullptr;
    if (!is_known()) {
        const registration row = registration_of_ledger(table);
        if (row.journal != journal_oid) {
            if (journal != nullptr)
                close_relation(journal, lock);
            journal_oid = row.journal;
            journal = open_one(journal_oid);
        }
        if (journal != nullptr)
            describe(known, table, journal, row);
    }
    if (journal == nullptr && waits)
        throw journal_gone(table);
    if (journal == nullptr) {
        close_relation(table, lock);
        return std::nullopt;
    }
    return opened{table, journal, known.described};
}

} // namespace

extern "C" {
static void lockstep_relation_changed(Datum, Oid relation) {
    forget(relation);
}

static void lockstep_schema_changed(Datum, cache_id, uint32) {
    forget(InvalidOid);
}

static void lockstep_type_changed(Datum, cache_id, uint32 hash) {
    forget_type(hash);
}
}

void install() {
    CacheRegisterRelcacheCallback(lockstep_relation_changed, Datum{0});
    // The statements name schemas, and renaming one changes no table.
    CacheRegisterSyscacheCallback(NAMESPACEOID, lockstep_schema_changed, Datum{0});
    // So do they name operators, and an extension may move to another schema with its operators.
    CacheRegisterSyscacheCallback(OPEROID, lockstep_schema_changed, Datum{0});
    // And a key's type, where the column is of a domain. Types come and go with every table: only
    // its own counts.
    CacheRegisterSyscacheCallback(TYPEOID, lockstep_type_changed, Datum{0});
}

use::use() noexcept : outer_(innermost) {
    innermost = this;
}

use::~use() {
    innermost = outer_;
    if (innermost != nullptr)
        return;
    while (retired_first != nullptr) {
        retired *one = retired_first;
        retired_first = one->next;
        free_description(one->described);
        pfree(one);
    }
}

const ledger *use::hold(Oid table, LOCKMODE lock, bool waits) {
    if (outer_ == nullptr && held_.empty())
        make_room_for(table);
    const auto found = open_both(table, lock, waits);
    if (!found)
        return nullptr;
    // What is only looked at is let go of with its lock.
    const LOCKMODE unlock = lock == AccessShareLock ? lock : NoLock;
    held_.push_back({found->table, unlock});
    held_.push_back({found->journal, unlock});
    // A key of several columns is read in the layout of its row type.
    if (const key_row *row = found->described->key.row) {
        const Relation type = waits ? open_relation(row->relation, AccessShareLock)
                                    : lockstep::open_if_free(row->relation, AccessShareLock);
        if (type == nullptr && waits)
            throw sql_error(state::not_a_ledger,
                            "the key type of " + table_text(*found->described) + " is gone");
        if (type == nullptr)
            return nullptr;
        held_.push_back({type, AccessShareLock});
        if (RelationGetDescr(type)->natts != row->count)
            throw sql_error(state::object_in_use, "the key type of " +
                                                      table_text(*found->described) +
                                                      " was changed while it was looked at");
        row->held = type;
    }
    // The indexes that were found are there: dropping one takes a lock that ours keep away, or
    // waits for us.
    for (const Oid index : {found->described->key_index, found->described->layout.unique_index}) {
        const Relation one = waits ? open_relation(index, AccessShareLock)
                                   : lockstep::open_if_free(index, AccessShareLock);
        if (one != nullptr)
            held_.push_back({one, AccessShareLock});
    }
    return found->described;
}

const ledger &use::open(Oid table) {
    return *hold(table, RowExclusiveLock, true);
}

const ledger *use::open_if_free(Oid table) {
    return hold(table, AccessShareLock, false);
}

const ledger &use::again(const ledger &target) {
    if (!target.stale)
        return target;
    const ledger &now = open(target.table);
    if (!reads_the_same(now.key, target.key))
        throw sql_error(state::object_in_use,
                        "keys of " + table_text(now) + " were changed while they were read");
    return now;
}

void use::close() {
    for (const held_relation &one : held_)
        close_relation(one.relation, one.unlock);
    held_.clear();
}

bool is_in_use(Oid table) {
    for (const use *one = innermost; one != nullptr; one = one->outer_)
        if (std::ranges::any_of(one->held_, [table](const use::held_relation &held) {
                return RelationGetRelid(held.relation) == table;
            }))
            return true;
    return false;
}

void require_unchanged(const ledger &target) {
    if (!target.stale)
        return;
    const opened now = open_both(target.table, RowExclusiveLock, true).value();
    close_relation(now.journal);
    close_relation(now.table);
    if (now.described == &target)
        return;
    if (!is_same_for_work(target, *now.described))
        throw sql_error(state::object_in_use,
                        table_text(target) + " was changed while a movement was in progress",
                        "Code that ran within the call, of a trigger, a policy or a check, has "
                        "changed the table, its journal or its registration.");
    target.stale = false;
}

} // namespace lockstep::ledger_cache
