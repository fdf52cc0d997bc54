// The table whose row is asked for: who may ask, by which key, and where its versions may be.
#pragma once

#include "locking/table_use.hpp"
#include "row_versions/found.hpp"

#include <span>
#include <string>
#include <vector>

namespace lockstep {

class asked_table {
  public:
    // Opens the table, and waits for nothing: it is held until close(), its lock too. Its key is
    // the one that it is registered by, where it is a ledger; else its primary key; or these
    // columns, where some are named. What it makes lives in the current memory context. 42501
    // without SELECT on the whole table, and where row security hides rows from the caller (both
    // before the table is locked); 42P01 where there is none; 42809 where it is no table of rows;
    // 0A000 where they are not of the access method heap, or out of reach here; 55P03 where it is
    // locked against reading; 42703 and 42P10 as for lock_rows.
    asked_table(Oid table, std::span<const std::string> key_columns);
    asked_table(const asked_table &) = delete;
    asked_table &operator=(const asked_table &) = delete;

    // 22004, 22P02 and what else a key may raise. Code of the user's may run: the table is held.
    [[nodiscard]] Datum key_from(Datum given, Oid type) const;
    // Every version of the row of this key, in all partitions; in no order.
    [[nodiscard]] std::vector<found_version> versions_of(Datum key, Snapshot snapshot) const;
    [[nodiscard]] Relation relation() const { return relation_; }

    // Not called on an error: then the server does it.
    void close();

  private:
    void add_versions_in(Relation member, Datum key, Snapshot snapshot,
                         std::vector<found_version> &to) const;

    Relation relation_;
    const keyed_table *table_;
    std::vector<column> columns_;
};

} // namespace lockstep
