// lockstep.request_id: a stable id from any text key of the caller's.
#include "pg/digest.hpp"
#include "pg/values.hpp"

using namespace lockstep;

LOCKSTEP_FUNCTION(lockstep_request_id) {
    constexpr std::size_t most_name_bytes = std::size_t{1} << 20;
    const std::string name = text_argument(fcinfo, 0, "name", most_name_bytes);
    // The same id whatever the encoding of the database: clients hash UTF-8.
    const char *first = name.c_str();
    const int length = static_cast<int>(name.size());
    const char *utf8 = pg_call([=] { return pg_server_to_any(first, length, PG_UTF8); });
    const auto *bytes = reinterpret_cast<const std::uint8_t *>(utf8);
    return datum_from_uuid(uuid_version_5(sha1(request_id_namespace, {bytes, strlen(utf8)})));
}
