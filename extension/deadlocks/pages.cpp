#include "deadlocks/pages.hpp"

#include "core/graph/drawing.hpp"
#include "core/words.hpp"

#include <vector>

namespace lockstep {

namespace {

// Longer statements are cut in a drawing.
constexpr std::size_t drawn_characters = 60;

std::string name_text(const column_value &name) {
    return name ? copied(pg_call([&] { return NameStr(*DatumGetName(*name)); })) : std::string{};
}

std::string who_text(deadlock_history &history, const deadlocked &one) {
    std::string who = std::to_string(one.seen->pid);
    for (const std::string &word :
         {name_text(history.activity().role_name(one.seen->role)), one.application})
        if (!word.empty())
            who += ' ' + one_line(word);
    return who;
}

// Most waits are shorter than a second.
std::string wait_text(std::int64_t microseconds) {
    constexpr std::int64_t second = 1'000'000;
    return microseconds < second ? std::to_string(microseconds / 1000) + " ms"
                                 : duration_text(microseconds);
}

std::string waited_text(const remembered_deadlock &deadlock, const deadlocked &one) {
    if (one.seen->wait_started == 0)
        return deadlock.seen->found_by == DEADLOCK_FOUND_IMMEDIATELY ? "wanted " : "waited for ";
    return "waited " + wait_text(deadlock.seen->detected_at - one.seen->wait_started) + " for ";
}

std::string wanted_text(const deadlocked &one) {
    std::string text = one_line(one.wanted.empty() ? "a lock" : one.wanted);
    if (one.mode != nullptr)
        text += std::string{" ("} + one.mode + ')';
    return text;
}

// Of a transaction's end everybody knows it: who runs it has it.
std::string held_text(const deadlocked &one) {
    if (one.seen->lock.type == LOCKTAG_TRANSACTION || one.blocker_modes.empty())
        return {};
    return ", who had it in " + one.blocker_modes;
}

std::string query_text(const deadlocked &one) {
    return one.is_hidden ? "<insufficient privilege>" : one_line(one.query);
}

void add_session(std::string &page, deadlock_history &history, const remembered_deadlock &deadlock,
                 const deadlocked &one) {
    const bool is_victim = &one == &deadlock.sessions.front() && deadlock.has_victim();
    page += "  " + who_text(history, one) + (is_victim ? ", the victim" : "") + '\n';
    page += "      " + waited_text(deadlock, one) + wanted_text(one);
    if (one.seen->blocker_pid != 0)
        page += ", behind " + std::to_string(one.seen->blocker_pid) + held_text(one);
    page += '\n';
    if (const std::string query = query_text(one); !query.empty())
        page += "      " + query + '\n';
    if (is_victim && !one.is_hidden)
        for (const std::string_view line : lines_of(deadlock.context))
            page += "      " + one_line(std::string{line}) + '\n';
}

std::string outcome_text(const deadlock_record &one) {
    switch (one.fate) {
    case DEADLOCK_ABORTED: return "; it ended the victim's transaction";
    case DEADLOCK_TRAPPED: return "; the victim's own code trapped the error";
    case DEADLOCK_SAVEPOINT: return "; the victim went back to a savepoint";
    case DEADLOCK_RETRIED: return "; lockstep.retry ran the victim's transaction again";
    default: return "";
    }
}

std::string found_text(const deadlock_record &one) {
    switch (one.found_by) {
    case DEADLOCK_FOUND_BY_TIMEOUT:
        return "found after deadlock_timeout (" + wait_text(std::int64_t{one.timeout_ms} * 1000) +
               ')';
    case DEADLOCK_FOUND_IMMEDIATELY: return "found before the victim began to wait";
    default: return "avoided: the server put the queue into another order";
    }
}

std::string heading(deadlock_history &history, const deadlock_record &one) {
    std::string line = "Deadlock " + std::to_string(one.id) + " at " + time_text(one.detected_at);
    if (const std::string database = name_text(history.activity().database_name(one.database));
        !database.empty())
        line += " in " + one_line(database);
    return line + '\n' + found_text(one) + outcome_text(one) + '\n';
}

graph::drawn_node node_of(deadlock_history &history, const remembered_deadlock &deadlock,
                          const deadlocked &one, bool in_cycle) {
    std::string label = who_text(history, one);
    if (&one == &deadlock.sessions.front() && deadlock.has_victim())
        label += "\nthe victim";
    std::string query = query_text(one);
    if (query.size() > drawn_characters) {
        const int length = pg_call([&query] {
            return pg_mbcliplen(query.c_str(), static_cast<int>(query.size()),
                                static_cast<int>(drawn_characters));
        });
        query = query.substr(0, static_cast<std::size_t>(length)) + "...";
    }
    if (!query.empty())
        label += '\n' + query;
    return {label, in_cycle ? graph::node_look::cycle : graph::node_look::waits};
}

} // namespace

std::string text_page(deadlock_history &history, const remembered_deadlock &one) {
    std::string page = heading(history, *one.seen) + '\n';
    for (const deadlocked &member : one.members())
        add_session(page, history, one, member);
    if (one.seen->bystanders > 0) {
        page += "behind them\n";
        for (const deadlocked &other :
             std::span{one.sessions}.subspan(static_cast<std::size_t>(one.seen->members)))
            add_session(page, history, one, other);
    }
    if (one.seen->left_off > 0)
        page += "  ... and at least " + std::to_string(one.seen->left_off) + " more\n";
    if (const std::string advice = one.advice(history.names()); !advice.empty())
        page += '\n' + one_line(advice) + '\n';
    return page;
}

std::string dot_page(deadlock_history &history, const remembered_deadlock &one) {
    std::vector<graph::drawn_node> nodes;
    std::vector<graph::drawn_edge> edges;
    const auto members = static_cast<std::size_t>(one.seen->members);
    for (std::size_t i = 0; i < one.sessions.size(); ++i)
        nodes.push_back(node_of(history, one, one.sessions[i], i < members && one.has_victim()));
    for (std::size_t i = 0; i < one.sessions.size(); ++i)
        for (std::size_t j = 0; j < one.sessions.size(); ++j)
            if (i != j && one.sessions[j].seen->pid == one.sessions[i].seen->blocker_pid)
                edges.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j),
                                 graph::edge_kind::hard, wanted_text(one.sessions[i])});
    if (one.seen->left_off > 0)
        nodes.push_back({"... and at least " + std::to_string(one.seen->left_off) + " more",
                         graph::node_look::note});
    return graph::draw_dot(nodes, edges);
}

} // namespace lockstep
