#include "lock_graph/labels.hpp"

#include "core/words.hpp"
#include "pg/values.hpp"

#include <algorithm>

namespace lockstep {

namespace {

// What a session does, and since when.
std::string activity_text(wait_for_graph &seen, std::int32_t node) {
    const std::int32_t process = seen.process_of(node);
    const session &who = seen.session_of(process);
    std::string text;
    if (who.state)
        text = text_of(*who.state);
    else if (who.gid)
        text = "prepared";
    else
        text = seen.kind_of(process);
    const std::optional<TimestampTz> since =
        who.is_active() ? who.transaction_started : who.state_since;
    if (since)
        text += " for " + duration_text(seen.snapshot().taken_at - *since);
    return text;
}

std::string wait_text(wait_for_graph &seen, std::int32_t node) {
    const std::int32_t wait = seen.wait_of(node);
    std::string text = "waits";
    // The queue of submit is read a moment after the instant.
    if (const TimestampTz started = seen.wait_start_of(node); started > 0)
        text += ' ' + duration_text(std::max<TimestampTz>(seen.snapshot().taken_at - started, 0));
    if (const std::int32_t process = seen.process_of(node); seen.submit_blocker_of(process) >= 0)
        return text + " for " + seen.what_in_submit(process);
    if (wait < 0)
        return text + " for a safe snapshot";
    const lock_wait &one = seen.snapshot().waits[wait];
    const lock_object &lock = seen.lock_of(wait);
    text += " for " + seen.what(wait);
    // The mode says something where there is a choice of modes.
    if (lock.type != LOCKTAG_TRANSACTION && lock.type != LOCKTAG_VIRTUALTRANSACTION &&
        lock.type != LOCKTAG_TUPLE && lock.type != LOCKTAG_SPECULATIVE_TOKEN)
        text += std::string{", "} + GetLockmodeName(lock.method, one.mode);
    if (lock.waits > 1)
        text += ", place " + std::to_string(seen.queue_position(wait)) + " of " +
                std::to_string(lock.waits);
    return text;
}

} // namespace

std::string who_text(wait_for_graph &seen, std::int32_t node) {
    const std::int32_t process = seen.process_of(node);
    const session &who = seen.session_of(process);
    std::string text;
    if (who.gid)
        text = "prepared '" + text_of(*who.gid) + '\'';
    else if (seen.process(process).prepared != 0 &&
             seen.process(process).xid == InvalidTransactionId)
        text = "a prepared transaction";
    else if (seen.process(process).prepared != 0)
        text = std::string{who.kind} + " transaction " + std::to_string(seen.process(process).xid);
    else
        text = std::to_string(seen.process(process).pid);
    if (who.user)
        text += std::string{" "} + NameStr(*DatumGetName(*who.user));
    if (who.application)
        if (const std::string name = text_of(*who.application); !name.empty())
            text += ' ' + name;
    return one_line(std::move(text));
}

std::string does_text(wait_for_graph &seen, std::int32_t node) {
    const graph::forest::node &one = seen.forest().nodes[static_cast<std::size_t>(node)];
    if (one.depth == 0)
        return activity_text(seen, node) + ", blocks " + std::to_string(one.total_blocked);
    return one_line(wait_text(seen, node));
}

std::string line_text(wait_for_graph &seen, std::int32_t node) {
    const graph::forest::node &one = seen.forest().nodes[static_cast<std::size_t>(node)];
    std::string text = who_text(seen, node) + ": " + does_text(seen, node);
    if (one.depth == 0)
        return text;
    for (std::size_t i = 0; i < one.extra_parents.size(); ++i) {
        // Somebody who waits for hundreds is told apart by the first few.
        if (i == 4) {
            text += " and " + std::to_string(one.extra_parents.size() - i) + " more";
            break;
        }
        text +=
            (i == 0 ? ", also behind " : ", ") + std::to_string(seen.node_id(one.extra_parents[i]));
    }
    return text;
}

std::string cycle_text(const graph::forest::root &root) {
    return "cycle " + std::to_string(root.cycle) + ": " + std::to_string(root.direct_blocked) +
           " sessions wait for each other, blocks " + std::to_string(root.total_blocked);
}

std::string nobody_text(const wait_for_graph &seen) {
    return "nobody waits at " + time_text(seen.snapshot().taken_at);
}

bool runs_query(wait_for_graph &seen, std::int32_t node) {
    return seen.session_of(seen.process_of(node)).is_active();
}

std::string short_query(wait_for_graph &seen, std::int32_t node, int characters) {
    const session &who = seen.session_of(seen.process_of(node));
    if (!who.query || who.is_hidden())
        return {};
    const Datum query = *who.query;
    return copied(pg_call([=] {
        char *line = TextDatumGetCString(query);
        for (char *c = line; *c != '\0'; ++c)
            if (static_cast<unsigned char>(*c) < ' ')
                *c = ' ';
        const int length = static_cast<int>(strlen(line));
        const int kept = pg_mbcharcliplen(line, length, characters);
        return kept == length ? line : psprintf("%.*s...", kept, line);
    }));
}

} // namespace lockstep
