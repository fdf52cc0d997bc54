// Statements through SPI, with plans that live as long as their owner wants. One session is opened
// per call; results are read before it is closed. Nothing is closed on an error: the server does
// that when it ends the (sub)transaction, and a destructor must not raise.
#pragma once

#include "pg/boundary.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>

namespace lockstep {

class spi_session {
  public:
    spi_session() {
        pg_call([] { SPI_connect(); });
    }
    // Ends the session; what was allocated in it is gone, what was copied out stays.
    void finish() {
        pg_call([] { SPI_finish(); });
    }
};

// The parameters of one execution, in order.
class spi_parameters {
  public:
    void add(Datum value) {
        Assert(count_ < values_.size());
        values_[count_] = value;
        nulls_[count_++] = ' ';
    }
    void add(std::optional<Datum> value) {
        Assert(count_ < values_.size());
        values_[count_] = value.value_or(Datum{0});
        nulls_[count_++] = value ? ' ' : 'n';
    }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] const Datum *values() const { return values_.data(); }
    [[nodiscard]] const char *nulls() const { return nulls_.data(); }

  private:
    static constexpr std::size_t most = INDEX_MAX_KEYS + 16; // a key's columns, and more
    std::array<Datum, most> values_{};
    std::array<char, most> nulls_{};
    std::size_t count_ = 0;
};

// Parses and keeps a statement. The plan outlives the session; the caller frees it with
// SPI_freeplan. `options` are a cursor's.
[[nodiscard]] SPIPlanPtr prepare_kept(const char *sql, std::span<const Oid> types, int options = 0);

// The same for a plan that goes with the session.
[[nodiscard]] SPIPlanPtr prepare_once(const char *sql, std::span<const Oid> types, int options = 0);

// Runs a kept plan with a fresh snapshot (where the isolation level gives one), until it has given
// max_rows rows, if that is not 0; rows processed.
uint64 execute(SPIPlanPtr plan, const spi_parameters &parameters, long max_rows = 0);

// Runs one statement that is not worth keeping; rows processed.
uint64 execute(const std::string &sql);

// Runs one query with the caller's snapshot; rows found.
uint64 query(const std::string &sql);

// A cell of the last result, by row from 0 and column from 1; nothing where it is null. The value
// lives until the session ends or the next result replaces it.
[[nodiscard]] std::optional<Datum> cell(uint64 row, int column);

} // namespace lockstep
