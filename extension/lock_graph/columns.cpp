#include "lock_graph/columns.hpp"

namespace lockstep {

column_value wait_event_value(const lock_process &process, const session &who) {
    if (who.is_hidden() || process.wait_event == 0)
        return {};
    const std::uint32_t event = process.wait_event;
    const std::string type = copied(pg_call([event] { return pgstat_get_wait_event_type(event); }));
    return text_or_null(type + ": " +
                        copied(pg_call([event] { return pgstat_get_wait_event(event); })));
}

column_value since_value(const wait_for_graph &now, std::optional<TimestampTz> from) {
    if (!from || *from == 0)
        return {};
    return interval_datum(std::max<TimestampTz>(now.snapshot().taken_at - *from, 0));
}

column_value constant_texts::operator()(const char *text) {
    for (const auto &[known, value] : known_)
        if (known == text)
            return value;
    return known_.emplace_back(text, text_datum(text)).second;
}

column_value lock_columns::mode(const lock_object &lock, std::int32_t mode) {
    return constant(GetLockmodeName(lock.method, mode));
}

column_value lock_columns::modes(const lock_object &lock, std::uint32_t mask) {
    const auto [at, fresh] = masks_.try_emplace({lock.method, mask});
    if (fresh) {
        const LOCKMETHODID method = lock.method;
        at->second = pg_call([=] {
            Datum names[LOCKSTEP_LOCK_MODES];
            int count = 0;
            for (int mode = 1; mode < LOCKSTEP_LOCK_MODES; ++mode)
                if ((mask & (1U << mode)) != 0)
                    names[count++] = CStringGetTextDatum(GetLockmodeName(method, mode));
            return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
        });
    }
    return at->second;
}

column_value lock_columns::kind(std::int32_t process) {
    return constant(graph_.kind_of(process));
}

column_value lock_columns::edge_kind(graph::edge_kind kind) {
    return constant(graph::kind_name(kind).data());
}

column_value lock_columns::lock_type(const lock_object &lock) {
    return constant(
        graph_.place_of_lock(static_cast<std::int32_t>(&lock - graph_.snapshot().locks)).type);
}

// The waits of one queue are for the same thing, unless they wait for a transaction.
column_value lock_columns::what(std::int32_t wait) {
    const auto [at, fresh] =
        whats_.try_emplace({graph_.snapshot().waits[wait].lock, graph_.row_of(wait)});
    if (fresh)
        at->second = text_datum(graph_.what(wait).c_str());
    return at->second;
}

column_value lock_columns::what_else(std::int32_t process) {
    if (graph_.submit_blocker_of(process) < 0)
        return {};
    return text_datum(graph_.what_in_submit(process).c_str());
}

} // namespace lockstep
