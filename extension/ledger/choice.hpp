// Which store serves a call: the heap store writes plain tables directly, under READ COMMITTED; the
// statements of the SPI store honour whatever else a table may have, at any isolation level. Both
// give the same answers; the setting lockstep.store forces one, or the SPI store key by key.
#pragma once

#include "ledger/ledger.hpp"

#include <string>

namespace lockstep {

// Defines the setting. Once, when the module is loaded.
void install_store_setting();

// What the journal has that statements alone honour; null where there is nothing. The text lives
// for ever.
[[nodiscard]] const char *why_not_heap_journal(Relation journal, int journal_version);

// What the table or its journal has that the heap store does not honour itself; null where there is
// nothing. The text lives for ever.
[[nodiscard]] const char *why_not_heap(Relation table, const ledger_columns &columns,
                                       const char *why_not_heap_journal);

// Whether another session may bring this about, or do away with it, beside a movement at work,
// whose locks do not keep it from doing so; null, nothing, is such a state as well. Either reason.
[[nodiscard]] bool may_come_meanwhile(const char *why_not);

// Whether the table has foreign keys of its own, whose checks may still be to come.
[[nodiscard]] bool refers_to_others(Relation table);

// Whether a CHECK of the table has functions that are not immutable: it may go by the settings of
// the session that carries out a movement.
[[nodiscard]] bool checks_ask_the_session(Relation table);

// Whether the heap store serves this call. 55000 where the setting forces it and it cannot.
[[nodiscard]] bool is_served_by_heap(const ledger &target);

// Whether the SPI store names one key a statement: where rows are kept elsewhere, what locks or
// writes many at once is refused.
[[nodiscard]] bool is_served_by_key(const ledger &target);

// What a ledger is served by, for people to read: "heap" or "spi", null where the table cannot be
// used as a ledger just now; and why. Takes ACCESS SHARE on the table and its journal, where that
// needs no waiting, and lets go of it.
struct served {
    const char *store;
    std::string reason;
};
[[nodiscard]] served how_served(Oid table);

} // namespace lockstep
