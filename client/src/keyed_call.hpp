// The statements lockstep.transfer and lockstep.adjust: their text, their parameters, their
// answers.
#pragma once

#include <lockstep/ledger.hpp>
#include <lockstep/parameter.hpp>
#include <lockstep/rows.hpp>

#include <vector>

namespace lockstep::detail {

// One call, made before its first attempt, and with it the request id when the caller gave none.
template <class Result>
struct keyed_call {
    request_id id;
    bool made_id;     // here, so that nobody else can have used it
    const char *name; // as prepared; both texts live for ever
    const char *text;
    std::vector<parameter> parameters;
    Result (*result)(
        const rows &answer); // throws what rows throws when the answer is not as expected
};

[[nodiscard]] keyed_call<transfer_result> keyed(const transfer_request &request);
[[nodiscard]] keyed_call<adjust_result> keyed(const adjust_request &request);

} // namespace lockstep::detail
