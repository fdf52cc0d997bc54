// A table by its key, and one call's work with its rows: it finds the table's key, and holds the
// table so that code that runs meanwhile in this session cannot alter it.
#pragma once

#include "ledger/ledger_cache.hpp"
#include "pg/keyed_table.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep {

// The columns of these names, in this order. 42703 where there is none of a name, 22023 where one
// is named twice, 54000 where they are too many.
[[nodiscard]] std::vector<column> named_columns(Relation table, std::span<const std::string> names);

// An open table by a key of these columns, in the current memory context. 42P10 where there are no
// columns, which the hint tells what to do about, and where no unique index has just them.
[[nodiscard]] const keyed_table *describe_by_key(Relation table, std::span<const column> columns,
                                                 const char *hint_without_key);

class table_use {
  public:
    // Opens the table, locked as SELECT ... FOR UPDATE would until the end of the transaction. Its
    // key is the one it is registered by, where it is a ledger; else its primary key; or these
    // columns, where some are named. Without a second argument the caller is not told to name some.
    // Needs an open SPI session; what it makes lives in the current memory context.
    // 42501 without the rights to read the key and to lock rows (asked before the table is locked);
    // 42809 where it is no table; 42703 where it has no such column; 42P10 where it has no such
    // key.
    explicit table_use(Oid table);
    table_use(Oid table, std::span<const std::string> key_columns);
    table_use(const table_use &) = delete;
    table_use &operator=(const table_use &) = delete;

    [[nodiscard]] const keyed_table &table() const { return *table_; }
    [[nodiscard]] Relation relation() const { return relation_; }
    // The key's columns as the table has them, in the order of the key.
    [[nodiscard]] std::span<const column> key_columns() const { return columns_; }
    // Its registration, where it is a ledger and goes by that key.
    [[nodiscard]] const ledger *as_ledger() const { return ledger_; }

    // The elements of an array argument as keys of the table. 22004 where one is null.
    [[nodiscard]] call_vector<Datum> keys_from(std::span<const Datum> values, Oid given,
                                               const char *name) const;

    // Lets go of the table, but for its lock. Not called on an error: then the server does it.
    void close();

  private:
    table_use(Oid table, std::span<const std::string> key_columns, const char *hint_without_key);

    ledger_cache::use ledgers_;
    Relation relation_;
    const keyed_table *table_ = nullptr;
    const ledger *ledger_ = nullptr;
    std::vector<column> columns_;
};

} // namespace lockstep
