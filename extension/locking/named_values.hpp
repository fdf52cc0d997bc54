// Values by the names of columns, as callers give them in a json object: {"state": "ready"}.
#pragma once

#include "pg/catalog.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lockstep {

// The columns of the table that the object names, in the order in which jsonb keeps them. 22023
// where it is no object, 42703 where the table has no such column. `argument` names it in messages.
[[nodiscard]] std::vector<column> columns_named_in(Datum object, Relation table,
                                                   const char *argument);

// The values of these columns in the object, by the types that the columns stand on; nothing for a
// null. Read as jsonb_to_record() reads them, in an open SPI session, and there until it ends.
[[nodiscard]] std::vector<std::optional<Datum>> values_in(Datum object,
                                                          const std::vector<column> &columns);

// What jsonb_to_record() is told of these columns, after AS: c("state" text, "tries" integer). As
// they are declared, domains and lengths too.
[[nodiscard]] std::string record_definition(const char *alias, const std::vector<column> &columns);

} // namespace lockstep
