// The ways to write rows of a log, each by one connection.
#pragma once

#include "common/session.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::bench {

constexpr std::size_t rows_of_batch = 1000;

enum class way {
    each_committed,
    each_in_batch,
    arrays,
    copy_directly,
    copy_and_insert,
    sent_again
};

std::vector<way> all_ways();
std::string label_of(way how);
// A name for the file of results.
std::string name_of(way how);

// Writes batches into a table that it makes anew, each row under an id of its own.
class writer {
  public:
    explicit writer(session &link) : link_(link) {}

    void begin(way how);
    // Writes what one turn of that way is: a batch, or one row where each is committed by itself.
    // How many rows were sent.
    std::size_t write();
    // What is wrong with the rows that are there; empty: nothing.
    std::string check();

  private:
    void insert_each(std::size_t count);
    void insert_arrays();
    void copy(const char *table);
    void copy_and_insert();

    session &link_;
    way how_ = way::each_committed;
    std::size_t written_ = 0;
};

} // namespace lockstep::bench
