// Making a table a ledger, and ending that: the rights of the caller, the journal, the
// registration.
#pragma once

#include "ledger/registration.hpp"

namespace lockstep {

// Registers the table, or changes the registration that it has; `wanted` names the columns, an
// empty key means the primary key's; and the journal to take up, where its registration is lost
// (else InvalidOid). Waits for transfers in flight (SHARE ROW EXCLUSIVE on the table). Returns the
// journal. 42501 unless the caller owns the table, and the owner may create in its schema.
[[nodiscard]] Oid register_table(const registration &wanted);

// Ends the registration; the journal stays unless it is to be dropped. LS005 where there is none.
void unregister_table(Oid table, bool with_journal);

} // namespace lockstep
