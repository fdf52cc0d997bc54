// A ledger as lockstep works with it: the table and its journal, the columns and their types, the
// bounds, and the statements that read and write its rows. Made from the registration and from what
// the catalogs say at that moment, and thrown away when either changes.
#pragma once

#include "pg/catalog.hpp"
#include "pg/keyed_table.hpp"

#include "core/movement.hpp"
#include "core/sql_error.hpp"
#include "ledger/journal_definition.hpp"
#include "ledger/match_columns.hpp"
#include "ledger/registration.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lockstep {

// What is read of a row, in this order.
enum class row_column : int { amount, version, floor, ceiling, frozen };
constexpr int row_columns = 5;

// A column of the ledger's table; number 0 where the ledger has none of that kind.
struct kept_column {
    AttrNumber number;
    Oid type; // base type

    [[nodiscard]] bool operator==(const kept_column &) const = default;
};

// A statement, and its plan once it has run. The text and the types live as long as the ledger.
struct kept_statement {
    const char *sql;
    const Oid *types;
    int parameters;
    Oid parsed_as;           // the role whose rights it is parsed with; 0: the caller
    mutable SPIPlanPtr plan; // null before its first run
};

// What this session knows of a journal's entries. The next one that it draws must be above them.
struct known_entries {
    bool looked; // at the end of the journal, since the ledger was described or found unchanged
    std::int64_t newest;
};

// Trivially destructible: it lives in a memory context of its own.
struct ledger : keyed_table {
    // Something may have changed since it was made: look again before it is used. Set in the
    // server's invalidation processing.
    mutable bool stale;
    mutable known_entries entries;

    Oid journal;
    Oid journal_owner;

    journal_layout layout; // of the journal

    amount_type amount;
    kept_column columns[row_columns]; // by row_column
    const match_column *matches;      // in which both rows of a movement must agree
    int match_count;
    const char *floor;     // digits, as numeric prints them; null: no bound
    const char *ceiling;   // the same
    bool refers_to_others; // the table has foreign keys of its own
    bool checks_ask_the_session;
    bool is_distributed; // its rows are kept elsewhere, and read and written key by key
    // Why the heap store cannot serve this ledger; null where it can.
    const char *not_heap;
    // Why its journal has to be written by statements; null where it has not.
    const char *not_heap_journal;

    // One row, by key equality: $1 is the key.
    kept_statement set;      // $2 the amount, $3 the version, $4 the amount before; returns the row
    kept_statement lock;     // returns the row as it stands, FOR NO KEY UPDATE
    kept_statement try_lock; // the same, and no row where it would have to be waited for
    kept_statement look;     // whether the row is there for the caller at all
    kept_statement append;   // one journal row
    // Many rows, by arrays. Keys come in canonical order, and the number of each is returned.
    kept_statement write_many;  // keys, amounts, versions
    kept_statement lock_many;   // keys
    kept_statement try_many;    // the same, without the rows that would have to be waited for
    kept_statement append_many; // journal rows: an array for each column

    [[nodiscard]] const kept_column &column_of(row_column which) const {
        return columns[static_cast<int>(which)];
    }
    [[nodiscard]] bool has(row_column which) const { return column_of(which).number != 0; }
    [[nodiscard]] std::span<const match_column> match_columns() const {
        return {matches, static_cast<std::size_t>(match_count)};
    }
    [[nodiscard]] std::array<const kept_statement *, 9> statements() const {
        return {&set,        &lock,      &try_lock, &look,       &append,
                &write_many, &lock_many, &try_many, &append_many};
    }
};

// What a table needs to be a ledger, checked when it is registered and whenever its definition has
// changed since. Throws sql_error, LS005 mostly, saying which requirement is not met.
struct ledger_columns {
    std::vector<column> key; // in its order
    column amount;
    std::optional<column> floor;
    std::optional<column> ceiling;
    std::optional<column> version;
    std::optional<column> frozen;
    std::vector<column> match;
};
void check_table_kind(Relation table);
[[nodiscard]] std::vector<AttrNumber> numbers_of(std::span<const column> columns);
[[nodiscard]] ledger_columns checked_columns(Relation table, const registration &row);

// The amount column's type; LS005 where amounts of that type are not exact.
[[nodiscard]] amount_type amount_type_of(const column &amount);

// LS005: the table cannot be used as a ledger, and why.
[[nodiscard]] sql_error unusable(Relation table, const std::string &why, std::string hint);
// LS005: the table's journal is gone.
[[nodiscard]] sql_error journal_gone(Relation table);

// Whether two descriptions of one table say the same, so that work which began by one may go on by
// the other. What another session may do beside a movement (attach a partition, build an index or
// replace one) makes no difference.
[[nodiscard]] bool is_same_for_work(const ledger &before, const ledger &now);

// Whether they do not differ in anything at all.
[[nodiscard]] bool is_same(const ledger &before, const ledger &now);

} // namespace lockstep
