// The deadlocks that are remembered, as their readers see them: names in place of numbers, rows by
// their keys where the reader may read these, and statements where he may see them.
#pragma once

#include "activity/catalogs.hpp"
#include "activity/sessions.hpp"
#include "deadlocks/record.h"
#include "lock_graph/places.hpp"
#include "lock_graph/row_key.hpp"
#include "pg/column_value.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep {

// One who waited.
struct deadlocked {
    const deadlock_session *seen;
    bool is_hidden; // what it did is not for this reader
    wanted_place at;
    const char *mode;
    std::string blocker_modes; // what its blocker had of the lock; empty: its turn alone
    bool from_context;         // the row is known by what the victim's error said
    row_status status;         // of the key
    const char *key;           // or null
    std::string wanted;        // for people
    std::string query;         // empty: there was none
    std::string application;
};

struct remembered_deadlock {
    const deadlock_record *seen;
    std::vector<deadlocked> sessions; // the victim, the others of the cycle, and those behind them
    std::string context;              // of the victim's error; for who may see what it did

    [[nodiscard]] std::span<const deadlocked> members() const {
        return std::span{sessions}.first(static_cast<std::size_t>(seen->members));
    }
    // Whether the server gave up a transaction; else it put a queue into another order.
    [[nodiscard]] bool has_victim() const { return seen->found_by != DEADLOCK_RESOLVED_BY_REORDER; }
    // Of the locks and statements of its cycle; empty where the reader may not see one of these.
    [[nodiscard]] std::string signature(catalogs &names) const;
    [[nodiscard]] std::string advice(catalogs &names) const;
};

class deadlock_history {
  public:
    // All, or the one of this id. 55000 where the module was not preloaded.
    explicit deadlock_history(std::optional<std::int64_t> only);
    // Lets go of the catalogs; the end of every call that made one.
    void release() { names_.release(); }

    // Oldest first.
    [[nodiscard]] const std::vector<remembered_deadlock> &deadlocks() const { return deadlocks_; }
    [[nodiscard]] catalogs &names() { return names_; }
    [[nodiscard]] sessions &activity() { return sessions_; }

  private:
    void add(const deadlock_record &one);
    [[nodiscard]] deadlocked describe(const deadlock_session &seen);
    static void add_said_row(deadlocked &victim, const deadlock_record &one);
    void look_up_keys();

    catalogs names_;
    sessions sessions_;
    std::vector<remembered_deadlock> deadlocks_;
};

// 55000 where the module was not preloaded.
void require_deadlock_history();

[[nodiscard]] const char *finder_name(std::int32_t found_by);
// Nothing where it is not known.
[[nodiscard]] const char *fate_name(const deadlock_record &one);

} // namespace lockstep
