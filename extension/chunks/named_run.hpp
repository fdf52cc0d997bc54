// How far a named run has come, in the table lockstep.chunk_runs: written in each chunk's own
// transaction, so it is true whatever ends the session. A run belongs to the role that began it.
// The table is written with the rights of its owner.
#pragma once

#include "chunks/key_list.hpp"
#include "retry/bound_statement.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace lockstep {

// What it is a run of: the same again goes on with it.
struct run_content {
    std::string relation;
    std::int64_t keys;
    std::array<std::uint8_t, 20> statement_digest;
    std::array<std::uint8_t, 20> params_digest;
    std::array<std::uint8_t, 20> keys_digest;
};

[[nodiscard]] run_content content_of(std::string relation, const key_list &keys,
                                     const std::string &statement, const text_parameters &params);

class named_run {
  public:
    // Of the current role.
    explicit named_run(std::string name);

    // In a transaction of its own, with an open SPI session: begins the run, or finds it. How many
    // keys are done, in their order. LS010 where the name was given to another content; DETAIL
    // says what differs.
    std::int64_t open(const run_content &content);
    // When it came to its end; nothing where it has not.
    [[nodiscard]] std::optional<TimestampTz> finished_at() const { return finished_at_; }

    // At the beginning of a chunk's transaction: takes the run for it, without waiting. 55006
    // where another session has it now or has come further, or where it was forgotten.
    void take(std::int64_t done) const;
    // At its end: what the chunk did.
    void advance(std::int64_t keys, std::uint64_t rows, std::size_t missing) const;

    // Forgets a run of the current role; whether there was one. 55006 where it is in a chunk now.
    [[nodiscard]] bool forget() const;

  private:
    std::string role_;
    std::string name_;
    std::optional<TimestampTz> finished_at_;
};

} // namespace lockstep
