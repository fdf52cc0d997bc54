// The ways to run a transaction until it goes through: ours, and the ordinary ones. All run the
// same statements at SERIALIZABLE, and try again after the same errors as often as it takes.
#pragma once

#include <string>
#include <vector>

namespace lockstep::bench {

enum class way {
    retry,          // CALL lockstep.retry as it comes
    retry_eager,    // the same without pauses
    client,         // BEGIN, prepared statements and COMMIT by the client, exponential backoff
    client_eager,   // the same without pauses
    function,       // all statements in one PL/pgSQL function, which is the client's transaction
    function_eager, // the same without pauses
};

// In the order of the tables.
const std::vector<way> &all_ways();
bool is_ours(way how);
// Whether there is a pause before the next attempt.
bool pauses(way how);

std::string key_of(way how);
std::string label_of(way how);

} // namespace lockstep::bench
