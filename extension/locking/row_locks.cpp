#include "locking/row_locks.hpp"

#include "core/sql_error.hpp"
#include "ledger/key_expressions.hpp"
#include "locking/key_columns.hpp"
#include "locking/order_guard.hpp"
#include "locking/row_queue.hpp"
#include "pg/backoff_settings.hpp"
#include "pg/kept_plans.hpp"
#include "pg/short_waits.hpp"
#include "pg/spi.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace lockstep {

namespace {

// What a statement does with the rows that it finds.
enum class action { lock, lock_nowait, lock_skip, look };

const char *waiting_clause(action what) {
    switch (what) {
    case action::lock_nowait: return " NOWAIT";
    case action::lock_skip: return " SKIP LOCKED";
    default: return "";
    }
}

// The statements for the rows of one table, in one strength.
class row_statements {
  public:
    row_statements(const table_use &use, lock_strength strength)
        : use_(use), strength_(strength), columns_(use.table().key) {
        types_ = columns_.types();
        for (const Oid type : types_)
            arrays_.push_back(pg_call([type] {
                // A row in an array would be taken apart.
                return type_is_rowtype(type) ? InvalidOid : get_array_type(type);
            }));
        at_once_ = std::ranges::count(arrays_, InvalidOid) == 0;
    }

    // Marks the rows among these that the statement has found.
    void run(action what, std::span<const Datum> keys, std::span<bool> found) const {
        constexpr std::size_t few = 2;
        if (keys.size() > few && at_once_)
            return run_at_once(what, keys, found);
        for (std::size_t i = 0; i < keys.size(); ++i) {
            check_interrupts();
            found[i] = run_for(what, keys[i]);
        }
    }

    [[nodiscard]] bool run_for(action what, Datum key) const {
        return execute_kept("SELECT FROM " + table_name() + " AS l WHERE " +
                                key_equals_columns(use_.table().key, use_.key_columns(), "$") +
                                locking(what),
                            types_, columns_.parameters(key), use_.table().table) > 0;
    }

  private:
    [[nodiscard]] std::string table_name() const { return qualified_name(use_.relation()); }

    [[nodiscard]] std::string locking(action what) const {
        if (what == action::look)
            return {};
        return " FOR " + std::string{clause_of(strength_)} + " OF l" + waiting_clause(what);
    }

    // Sorted by the number of the key, which no concurrent change can move: LockRows locks in that
    // order.
    void run_at_once(action what, std::span<const Datum> keys, std::span<bool> found) const {
        std::string arrays;
        std::string names;
        for (std::size_t i = 1; i <= columns_.count(); ++i) {
            const std::string number = std::to_string(i);
            arrays += (i == 1 ? "pg_catalog.unnest($" : ", pg_catalog.unnest($") + number + ")";
            names += "key_" + number + ", ";
        }
        const std::string sql = "SELECT k.number FROM ROWS FROM (" + arrays +
                                ") WITH ORDINALITY AS k(" + names + "number) JOIN " + table_name() +
                                " AS l ON " +
                                key_equals_columns(use_.table().key, use_.key_columns(), "k.key_") +
                                " ORDER BY k.number" + locking(what);
        const uint64 rows = execute_kept(sql, arrays_, columns_.arrays(keys), use_.table().table);
        for (uint64 row = 0; row < rows; ++row) {
            const std::int64_t number = DatumGetInt64(cell(row, 1).value_or(Datum{0}));
            if (number < 1 || static_cast<std::uint64_t>(number) > keys.size())
                throw sql_error(state::internal_error,
                                "a statement that locks rows returned row number " +
                                    std::to_string(number));
            found[static_cast<std::size_t>(number - 1)] = true;
        }
    }

    const table_use &use_;
    lock_strength strength_;
    key_columns columns_;
    std::vector<Oid> types_;
    std::vector<Oid> arrays_;
    bool at_once_ = true;
};

// Whose word it is that a row is not waited for: the order's (LS050), or the caller's (55P03).
enum class unwilling { order, caller };

[[noreturn]] void refuse_busy(unwilling who, const keyed_table &target, Datum key, int ahead) {
    if (who == unwilling::order)
        refuse_to_wait(target, key, ahead);
    ahead = std::max(ahead, 1);
    throw sql_error(state::lock_not_available, row_text(target, key) + " is busy",
                    contention_detail(ahead, wait_behind(ahead)));
}

// A row that was tried and not locked, and is there for the caller to read: where nobody has it, it
// is not the caller's to lock, or it is locked now; refused where somebody has.
bool lock_or_refuse(unwilling who, const row_statements &statements, const keyed_table &target,
                    Datum key) {
    // Asked before, for the attempt puts this session itself into the queue.
    const int ahead = sessions_ahead(target, key).value_or(1);
    try {
        return without_waiting([&] { return statements.run_for(action::lock_nowait, key); });
    } catch (const would_wait &) {
        refuse_busy(who, target, key, ahead);
    }
}

// Passes over what others have. Where the server would wait all the same, the first row is named at
// which somebody is.
void skip_locked(unwilling who, const row_statements &statements, const keyed_table &target,
                 std::span<const Datum> keys, std::span<bool> found, patience how) {
    if (keys.empty())
        return;
    try {
        without_waiting(
            [&] {
                statements.run(action::lock_skip, keys, found);
                return true;
            },
            how);
    } catch (const would_wait &) {
        const auto busy = std::ranges::find_if(
            keys, [&](Datum key) { return sessions_ahead(target, key).value_or(0) > 0; });
        refuse_busy(who, target, busy == keys.end() ? keys.front() : *busy, 1);
    }
}

// Locks without waiting; refused where somebody else has one of the rows. A statement with NOWAIT
// for all of them would not say which one.
void try_all(unwilling who, const row_statements &statements, const keyed_table &target,
             std::span<const Datum> keys, std::span<bool> found) {
    skip_locked(who, statements, target, keys, found, patience::none);
    call_vector<Datum> missing;
    call_vector<std::size_t> places;
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (!found[i]) {
            missing.push_back(keys[i]);
            places.push_back(i);
        }
    if (missing.empty())
        return;
    const auto there = std::make_unique<bool[]>(missing.size());
    statements.run(action::look, missing, {there.get(), missing.size()});
    for (std::size_t i = 0; i < missing.size(); ++i)
        if (there[i])
            found[places[i]] = lock_or_refuse(who, statements, target, missing[i]);
}

} // namespace

call_vector<bool> lock_rows(const table_use &use, std::span<const Datum> keys,
                            lock_strength strength, lock_wait wait) {
    const row_statements statements{use, strength};
    const keyed_table &target = use.table();
    const auto locked = std::make_unique<bool[]>(keys.size());
    const std::span<bool> found{locked.get(), keys.size()};
    if (wait == lock_wait::block) {
        const std::size_t tries = rows_to_try(target, keys);
        try_all(unwilling::order, statements, target, keys.first(tries), found.first(tries));
        statements.run(action::lock, keys.subspan(tries), found.subspan(tries));
    } else if (wait == lock_wait::nowait) {
        try_all(unwilling::caller, statements, target, keys, found);
    } else {
        skip_locked(unwilling::order, statements, target, keys, found, patience_of_tries());
    }
    for (std::size_t i = keys.size(); i-- > 0;)
        if (found[i]) {
            hold_row(target, keys[i]);
            break;
        }
    return {found.begin(), found.end()};
}

} // namespace lockstep
