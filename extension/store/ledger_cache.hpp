// The ledgers that this session has used, described once and kept until their tables, journals,
// schemas or registrations change.
#pragma once

#include "store/ledger.hpp"

namespace lockstep::ledger_cache {

// Asks the server to be told of changes. Once, when the module is loaded.
void install();

// Holds the descriptions in use still while a call works with them: a trigger of the ledger may
// call lockstep again, and the definition may have changed in between.
class use {
  public:
    use() noexcept;
    ~use();
    use(const use &) = delete;
    use &operator=(const use &) = delete;
};

// The ledger, locked against changes of its definition (ROW EXCLUSIVE, as an UPDATE would) until
// the end of the transaction. LS005 where the table is not registered. Needs a `use` and an open
// SPI session.
[[nodiscard]] const ledger &find(Oid table);

} // namespace lockstep::ledger_cache
