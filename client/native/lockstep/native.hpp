// For programs that have libpqxx code already: their functions on pqxx::transaction_base run inside
// lockstep's transactions, with lockstep's retries. Including this header ties a program to the
// libpqxx that lockstep was built with; no other header does.
#pragma once

#include <lockstep/transaction.hpp>

namespace pqxx {
class transaction_base;
}

namespace lockstep {

// The session's libpqxx transaction: statements run inside the one that client::run began, and must
// not end it. Errors of the server that libpqxx throws are judged as if exec had thrown them.
// Belongs to the callback, as the transaction does. libpqxx waits for an answer as long as the
// server takes: there the deadline is kept by the server's statement_timeout, and on a dead link by
// tcp_user_timeout.
[[nodiscard]] pqxx::transaction_base &native(transaction &tx);

} // namespace lockstep
