// The ways to book a transfer, and the levels that each of them is measured at.
#pragma once

#include <string>
#include <vector>

namespace lockstep::bench {

enum class level { read_committed, repeatable_read, serializable };

enum class manner {
    updates, // PL/pgSQL: takes, gives, writes the journal
    ordered, // the same, but the row with the lower key is written first
    lockstep // lockstep.transfer
};

struct way {
    manner how = manner::updates;
    level at = level::read_committed;

    friend bool operator==(const way &, const way &) = default;
};

// In the order of the tables.
const std::vector<way> &all_ways();
const std::vector<manner> &all_manners();

// As SET knows it.
std::string name_of(level at);
std::string label_of(level at);
std::string key_of(manner how);
std::string label_of(manner how);
std::string label_of(const way &which);

} // namespace lockstep::bench
