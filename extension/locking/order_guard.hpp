// What this transaction holds, so that transactions that take rows by lockstep never wait for each
// other in a circle, however many calls each of them makes. Rows have one order: tables by schema
// and name, bytewise, and within a table the order of the keys. A row above all that are held may
// be waited for; any other is tried, and where it is busy the call ends with LS050. So whoever
// waits waits upwards, and a circle would have to come down somewhere.
//
// Request ids are waited for as well. Who has the same request in hand holds the same rows, so such
// a wait is over before the id is met; what is left is waited for by those alone who hold nothing.
// One exception: a refusal because no row was there (LS003) is kept under its id, and no row lines
// its requests up. Whoever has booked one waits for no row any more, so others may wait for him.
// The call that books several books them in the order of their ids, and waits for other such ones
// alone.
//
// What a savepoint has taken is forgotten when it is rolled back, but for the rows of inner ones
// that were released, and for answers: who waits for these waits for the end of the transaction all
// the same. All of it is forgotten when the transaction ends; a prepared transaction's rows are
// then held by nobody's session.
#pragma once

#include "pg/keyed_table.hpp"
#include "pg/short_waits.hpp"

#include "core/request_id.hpp"

#include <optional>
#include <span>
#include <string>

namespace lockstep {

// Defines lockstep.order_guard and follows the ends of transactions. Once, when the module is
// loaded.
void install_order_guard();

// Whether the one table stands above the other: by schema and name, bytewise. False where one of
// them is gone.
[[nodiscard]] bool is_table_above(Oid table, Oid other);

// How many of these rows, in canonical order, are to be tried without waiting: the first ones,
// which do not stand above all that is held. 0 where the guard is off.
[[nodiscard]] std::size_t rows_to_try(const keyed_table &target, std::span<const Datum> keys);

// This row was locked, above or below what is held; and whatever the same call has locked stands
// below it.
void hold_row(const keyed_table &target, Datum key);

// How long a statement that passes over busy rows may wait where the server makes it wait all the
// same (pg/short_waits): not at all where a row is held that was taken through Lockstep, or such an
// answer as below; as long as it takes where the guard is off.
[[nodiscard]] patience patience_of_tries();

// An answer was booked that no row lines up: from now on no row is waited for.
void hold_answer_without_row();

// LS050 where the transaction may not wait for one who is booking this id. `without_row`: his
// booking is a refusal because there was no row; `has_booked`: this very call has booked some.
void check_may_wait(const uuid_bytes &id, bool without_row, bool has_booked);

// LS050 where the transaction may not wait for one who is at work under this id of once_begin: such
// ids stand below all rows. `held_above`: a request in hand that does not stand below it.
void check_may_wait_for_request(const uuid_bytes &id, const std::optional<std::string> &held_above);

// LS050: this row is busy, and may not be waited for. DETAIL names the row that is held above it,
// and has retry_after_ms, by how many sessions are ahead at the row (locking/row_queue).
[[noreturn]] void refuse_to_wait(const keyed_table &target, Datum key, int ahead);

} // namespace lockstep
