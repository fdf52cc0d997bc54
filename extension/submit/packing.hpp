// A movement as it stands in the queue, where any session can read it: nothing but bytes. What does
// not fit is not packed; who asks for it does it himself.
#pragma once

#include "submit/call.h"
#include "transfer/group.hpp"
#include "transfer/request.hpp"

#include "core/sql_error.hpp"

namespace lockstep {

// The calls that this one may be carried out with: the same ledger, as it is described now, asked
// by the same role with the settings that matter.
[[nodiscard]] submit_group group_of(const ledger &target);

// False where it does not fit, or is one that a single call has to look at: of one row, of no row,
// with an expected version, for a journal that cannot keep it. Its id is given.
[[nodiscard]] bool pack(submit_call &to, const ledger &target, const movement_request &request);

// The request, for a ledger of the same group. Its values are in the current memory context.
[[nodiscard]] movement_request unpack(const submit_call &call, const ledger &target);

// What a caller is told by the group's leader. Where an answer does not fit the caller has to look
// for it.
void pack_answer(submit_answer &to, const group_answer &answer, int group_size);

// Its numerics are in the current memory context.
[[nodiscard]] movement_result unpack_answer(const submit_answer &answer, const uuid_bytes &id);
[[nodiscard]] sql_error unpack_error(const submit_answer &answer);

} // namespace lockstep
