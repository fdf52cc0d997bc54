#include "pg/short_waits.hpp"

#include "pg/caught.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace lockstep {

short_waits::short_waits(patience how) {
    int most = 1;
    if (how == patience::some) {
        most = std::clamp(DeadlockTimeout / 2, 1, 500);
        if (LockTimeout > 0)
            most = std::min(most, LockTimeout);
    }
    const std::string value = std::to_string(most);
    const char *text = value.c_str();
    level_ = pg_call([text] {
        const int level = NewGUCNestLevel();
        set_config_option("lock_timeout", text, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
                          0, false);
        return level;
    });
}

void short_waits::restore() {
    const int level = level_;
    pg_call([level] { AtEOXact_GUC(false, level); });
}

would_wait::would_wait()
    : sql_error(state::lock_order, "a row is busy, and may not be waited for", {},
                "Run the whole transaction again.") {}

bool take_lock_not_available() {
    if (std::string_view{look_at_error().sqlstate} != state::lock_not_available)
        return false;
    forget_error();
    return true;
}

} // namespace lockstep
