// The statements lockstep.transfer, lockstep.adjust, lockstep.submit, lockstep.transfer_batch and
// lockstep.adjust_batch: their text, their parameters, their answers.
#pragma once

#include <lockstep/ledger.hpp>
#include <lockstep/parameter.hpp>
#include <lockstep/rows.hpp>

#include "answer_form.hpp"

#include <span>
#include <vector>

namespace lockstep::detail {

// The request ids of a call: one, or one for each item of a batch, in their order.
struct call_ids {
    std::vector<request_id> all;
    std::vector<bool> made; // here, so that nobody else can have used it

    // The caller's own, or else one made here.
    void add(const std::optional<request_id> &given) {
        all.push_back(given ? *given : request_id::make());
        made.push_back(!given);
    }
};

// One call, made before its first attempt, and with it the request ids that the caller did not
// give.
template <class Result>
struct keyed_call {
    call_ids ids;
    // Whether a refusal is kept under its id, and so stands against an attempt that comes later.
    bool keeps_refusals;
    const char *name; // as prepared; both texts live for ever
    const char *text;
    std::vector<parameter> parameters; // the first is the ledger
    // Throws when the answer is not as expected: what rows throws, or std::runtime_error.
    Result (*result)(const rows &answer, const call_ids &ids);
    answer_form form = answer_form::text;
};

[[nodiscard]] keyed_call<transfer_result> keyed(const transfer_request &request);
[[nodiscard]] keyed_call<adjust_result> keyed(const adjust_request &request);
[[nodiscard]] keyed_call<submit_result> keyed(const submit_request &request);
[[nodiscard]] keyed_call<batch_result> keyed(const batch_request &request,
                                             std::span<const transfer_item> items);
[[nodiscard]] keyed_call<adjust_batch_result> keyed(const batch_request &request,
                                                    std::span<const adjust_item> items);

} // namespace lockstep::detail
