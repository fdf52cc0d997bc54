// lockstep.get_lock_conflict: which modes conflict, as this server has it.
#include "lock_graph/row_key.hpp"
#include "pg/rows.hpp"
#include "pg/values.hpp"

using namespace lockstep;

namespace {

struct mode_name {
    LOCKMODE mode;
    const char *name;
};

void put(FunctionCallInfo fcinfo, const char *level, const mode_name &held,
         const mode_name &asked) {
    row_builder<4> row;
    row.add(text_datum(level));
    row.add(text_datum(held.name));
    row.add(text_datum(asked.name));
    row.add(BoolGetDatum(DoLockModesConflict(held.mode, asked.mode)));
    row.append(fcinfo);
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_lock_conflict) {
    row_builder<4>::open_set(fcinfo);
    for (LOCKMODE held = AccessShareLock; held <= AccessExclusiveLock; ++held)
        for (LOCKMODE asked = AccessShareLock; asked <= AccessExclusiveLock; ++asked)
            put(fcinfo, "table", {held, GetLockmodeName(DEFAULT_LOCKMETHOD, held)},
                {asked, GetLockmodeName(DEFAULT_LOCKMETHOD, asked)});
    // A lock on a row is one of four strengths; the server compares them by the heavyweight modes
    // that stand for them.
    const mode_name row_modes[] = {
        {row_lock_mode(MultiXactStatusForKeyShare), "FOR KEY SHARE"},
        {row_lock_mode(MultiXactStatusForShare), "FOR SHARE"},
        {row_lock_mode(MultiXactStatusForNoKeyUpdate), "FOR NO KEY UPDATE"},
        {row_lock_mode(MultiXactStatusForUpdate), "FOR UPDATE"}};
    for (const mode_name &held : row_modes)
        for (const mode_name &asked : row_modes)
            put(fcinfo, "row", held, asked);
    PG_RETURN_NULL();
}
