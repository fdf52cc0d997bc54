#include "lock_graph/impact.hpp"

#include <algorithm>
#include <set>

namespace lockstep {

namespace {

std::size_t at(std::int32_t i) {
    return static_cast<std::size_t>(i);
}

// Everybody who waits for the root, over any number of others.
std::vector<std::int32_t> everyone_behind(const graph::forest &forest,
                                          const graph::forest::root &top) {
    std::vector<bool> seen(forest.nodes.size(), false);
    std::vector<std::int32_t> found{top.first};
    seen[at(top.first)] = true;
    for (std::size_t next = 0; next != found.size(); ++next) {
        const std::int32_t node = found[next];
        for (const std::int32_t below : forest.waiting_for(node))
            if (!seen[at(below)]) {
                seen[at(below)] = true;
                found.push_back(below);
            }
    }
    // A root waits for nobody itself, unless it is a cycle.
    if (top.node >= 0)
        found.erase(found.begin());
    return found;
}

void add_waits(wait_for_graph &seen, const std::vector<std::int32_t> &nodes, impact &to) {
    std::set<Oid> users;
    for (const std::int32_t node : nodes) {
        users.insert(seen.process(seen.process_of(node)).role);
        const TimestampTz started = seen.wait_start_of(node);
        if (started == 0)
            continue;
        const std::int64_t passed = std::max<std::int64_t>(seen.snapshot().taken_at - started, 0);
        to.longest_wait = std::max(to.longest_wait, passed);
        to.sum_wait += passed;
        to.oldest_start = to.oldest_start == 0 ? started : std::min(to.oldest_start, started);
    }
    to.waiting_users = static_cast<std::int32_t>(users.size());
}

// The edges that end at the root itself.
void add_locks(wait_for_graph &seen, const std::vector<std::int32_t> &edges, impact &to) {
    std::set<Oid> relations;
    for (const std::int32_t index : edges) {
        const graph::edge &one = seen.edges()[at(index)];
        if (one.wait < 0)
            continue;
        const lock_object &lock = seen.lock_of(one.wait);
        // Everybody holds his own transaction exclusively; that says nothing.
        if (one.proclock >= 0 && lock.type != LOCKTAG_TRANSACTION &&
            lock.type != LOCKTAG_VIRTUALTRANSACTION && lock.type != LOCKTAG_SPECULATIVE_TOKEN)
            for (int mode = 1; mode < LOCKSTEP_LOCK_MODES; ++mode)
                if ((seen.snapshot().proclocks[one.proclock].held & (1U << mode)) != 0 &&
                    mode > to.strongest_mode) {
                    to.strongest_mode = mode;
                    to.strongest_lock = &lock;
                }
        // Its name is looked up here, so that printing it later finds it known.
        if (const auto relation = seen.relation_of(one.wait);
            relation && seen.names().shows(relation->database) &&
            !seen.names().relation_name(relation->database, relation->oid).empty())
            relations.insert(relation->oid);
    }
    to.relations.assign(relations.begin(), relations.end());
}

// From the root down: what is waited for, in which mode. Without pids, keys, times and statements,
// so that the same situation has the same signature tomorrow, whoever looks.
std::string chain_of(wait_for_graph &seen, std::int32_t root) {
    const graph::forest::root &top = seen.forest().roots[at(root)];
    std::vector<std::string> links;
    for (std::int32_t node = top.deepest; node >= 0 && node != top.node;
         node = seen.forest().nodes[at(node)].parent) {
        const std::int32_t wait = seen.wait_of(node);
        if (wait < 0) {
            links.emplace_back(seen.submit_blocker_of(seen.process_of(node)) < 0 ? "safe snapshot"
                                                                                 : "submit");
            continue;
        }
        std::string link = seen.place_of_lock(seen.snapshot().waits[wait].lock).type;
        link += ' ';
        link += GetLockmodeName(seen.lock_of(wait).method, seen.snapshot().waits[wait].mode);
        if (const auto relation = seen.relation_of(wait))
            link += ' ' + seen.names().qualified_name(relation->database, relation->oid);
        links.push_back(std::move(link));
    }
    std::string chain;
    std::ranges::reverse(links);
    for (const std::string &link : links)
        chain += (chain.empty() ? "" : " < ") + link;
    return chain;
}

} // namespace

impacts::impacts(wait_for_graph &seen) : graph_(seen), edges_at_(seen.forest().roots.size()) {
    const graph::forest &forest = seen.forest();
    for (std::size_t i = 0; i < seen.edges().size(); ++i) {
        const std::int32_t node = seen.node_of(seen.edges()[i].blocker);
        const std::int32_t root = forest.nodes[at(node)].root;
        const graph::forest::root &top = forest.roots[at(root)];
        if (node == top.node || (top.node < 0 && forest.nodes[at(node)].cycle == top.cycle))
            edges_at_[at(root)].push_back(static_cast<std::int32_t>(i));
    }
}

impact impacts::of(std::int32_t root) {
    impact found;
    add_waits(graph_, everyone_behind(graph_.forest(), graph_.forest().roots[at(root)]), found);
    add_locks(graph_, edges_at_[at(root)], found);
    found.chain = chain_of(graph_, root);
    return found;
}

} // namespace lockstep
