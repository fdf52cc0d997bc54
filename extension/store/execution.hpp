// Runs the statements of a ledger. Code of the user's may have run since the last one, and may run
// in this one: so the ledger is looked at again before, and what the statement has found under its
// names is looked at after.
#pragma once

#include "ledger/ledger.hpp"
#include "pg/spi.hpp"

#include <span>

namespace lockstep {

// Runs one, with a fresh snapshot (where the isolation level gives one); rows processed. Needs an
// open SPI session. 55006 where the ledger is not what it was.
uint64 execute(const ledger &target, const kept_statement &statement,
               const spi_parameters &parameters);

// The types that the last statement's columns have from this one on, numbers from 1; base types,
// InvalidOid for one that is not looked at. 55006 where they are others: what is read of a result
// is read as what the description says.
void require_result_types(const ledger &target, int first_column, std::span<const Oid> types);

} // namespace lockstep
