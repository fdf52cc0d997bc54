// Arbitrary work, once for each request id: begun, done by the caller, finished with a result that
// whoever asks again gets.
#pragma once

#include "once/held_requests.hpp"

#include <cstdint>

namespace lockstep {

// Begins the work, in the current transaction: nothing where it is to be done now, else the result
// (jsonb, in the current memory context) of the transaction that has done it. One that is at it is
// waited for, where no circle of waits can come of it: LS050 otherwise. LS010 where it was done
// with another fingerprint; 40001 where it was done after the transaction's snapshot was taken;
// 55000 where this transaction has begun it and not finished.
[[nodiscard]] std::optional<Datum> begin_request(const request_key &key,
                                                 std::optional<Datum> fingerprint);

// Waits until nobody is at it, without taking a snapshot. For a transaction that holds nothing.
void await_request(const request_key &key);

// Stores the result of what this transaction has begun. 55000 where it has not, or has finished it;
// 22023 where the result is the JSON null, which drivers read as "nothing".
void finish_request(const request_key &key, Datum result);

} // namespace lockstep
