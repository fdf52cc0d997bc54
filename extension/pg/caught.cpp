#include "pg/caught.hpp"

#include "pg/values.hpp"

#include <cstring>

namespace lockstep {

caught_error look_at_error() {
    // FreeErrorData forgets parts of the copy, so it has a room of its own.
    MemoryContext room = pg_call([] {
        return AllocSetContextCreate(CurrentMemoryContext, "lockstep error", ALLOCSET_SMALL_SIZES);
    });
    ErrorData *data = pg_call([room] {
        const MemoryContext before = MemoryContextSwitchTo(room);
        ErrorData *copy = CopyErrorData();
        MemoryContextSwitchTo(before);
        return copy;
    });
    caught_error seen{data->sqlerrcode, {}, copied(data->message), copied(data->detail)};
    std::memcpy(seen.sqlstate, unpack_sql_state(data->sqlerrcode), sizeof(seen.sqlstate));
    pg_call([room] { MemoryContextDelete(room); });
    return seen;
}

void forget_error() {
    pg_call([] { FlushErrorState(); });
}

void throw_on(const std::string &context) {
    const char *line = context.c_str();
    pg_call([line] {
        ErrorData *data = CopyErrorData();
        FlushErrorState();
        data->context =
            data->context == nullptr ? pstrdup(line) : psprintf("%s\n%s", data->context, line);
        ReThrowError(data);
    });
    throw pg_error{}; // not reached
}

void throw_on(const sql_error &error, const std::string &context) {
    const char *state = error.sqlstate();
    const char *message = error.what();
    const char *detail = error.detail().c_str();
    const char *hint = error.hint().c_str();
    const char *line = context.c_str();
    pg_call([=] {
        ereport(ERROR, (errcode(MAKE_SQLSTATE(state[0], state[1], state[2], state[3], state[4])),
                        errmsg_internal("%s", message),
                        *detail != '\0' ? errdetail_internal("%s", detail) : 0,
                        *hint != '\0' ? errhint("%s", hint) : 0, errcontext("%s", line)));
    });
    throw pg_error{}; // not reached
}

} // namespace lockstep
