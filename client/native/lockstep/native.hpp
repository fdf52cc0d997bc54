// For programs that have libpqxx code already: their functions on pqxx::transaction_base run inside
// lockstep's transactions, with lockstep's retries. Including this header ties a program to the
// libpqxx that lockstep was built with; no other header does. With another libpqxx the program does
// not link, or no longer starts: lockstep::libpqxx_7_10::native, say, is not there.
#pragma once

#include <lockstep/transaction.hpp>

#include <pqxx/version>

// The name of a namespace: libpqxx_6_4, libpqxx_7_10, ... libpqxx's own ABI is that of these two
// numbers.
#define LOCKSTEP_LIBPQXX_NAME(major, minor) libpqxx_##major##_##minor
#define LOCKSTEP_LIBPQXX_OF(major, minor) LOCKSTEP_LIBPQXX_NAME(major, minor)
#define LOCKSTEP_LIBPQXX LOCKSTEP_LIBPQXX_OF(PQXX_VERSION_MAJOR, PQXX_VERSION_MINOR)

namespace pqxx {
class transaction_base;
}

namespace lockstep {

inline namespace LOCKSTEP_LIBPQXX {

// The session's libpqxx transaction: statements run inside the one that client::run began, and must
// not end it. Errors of the server that libpqxx throws are judged as if exec had thrown them.
// Belongs to the callback, as the transaction does. libpqxx waits for an answer as long as the
// server takes: there the deadline is kept by the server's statement_timeout, and on a dead link by
// tcp_user_timeout.
[[nodiscard]] LOCKSTEP_EXPORT pqxx::transaction_base &native(transaction &tx);

} // namespace LOCKSTEP_LIBPQXX

} // namespace lockstep
