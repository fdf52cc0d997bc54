// CALL lockstep.apply_in_chunks: a statement for many rows, some of them at a time. Each chunk is a
// transaction of its own: its rows are locked in canonical order before the statement runs, so that
// no two such calls come to a deadlock, and it is done again as CALL lockstep.retry does.
#pragma once

#include "chunks/chunk_rows.hpp"
#include "retry/attempts.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

struct chunk_request {
    chunk_table target;
    std::string statement;
    text_parameters params; // of the statement, after those that the keys are in
    std::size_t chunk_size; // 1 or more
    retry_terms terms;      // of each chunk
    std::optional<std::chrono::microseconds> report_every; // as NOTICE
    std::optional<std::string> resume;                     // the name of the run
};

// What this call has done.
struct chunk_outcome {
    std::int32_t chunks = 0;
    std::int64_t keys = 0;
    std::int64_t rows = 0;
    std::int32_t attempts = 0;
    std::int64_t skipped = 0;              // keys that earlier calls of the run have done
    std::int64_t missing = 0;              // keys whose rows were not there
    std::vector<std::string> missing_keys; // of these, the first ones
};

// Within a retrying_call; begins in the transaction of the CALL (see require_call_alone) and ends
// without one. On an error what was committed stays, and CONTEXT tells how far it came and which
// keys come next; the transaction is the server's to end.
[[nodiscard]] chunk_outcome apply_in_chunks(const chunk_request &request,
                                            const array_elements &keys);

} // namespace lockstep
