#include "locks/impact.hpp"

#include <algorithm>
#include <set>

namespace lockstep {

namespace {

std::size_t at(std::int32_t i) {
    return static_cast<std::size_t>(i);
}

// Everybody who waits for the root, over any number of others.
std::vector<std::int32_t> everyone_behind(const graph::forest &forest, std::int32_t root) {
    std::vector<bool> seen(forest.nodes.size(), false);
    std::vector<std::int32_t> found;
    const auto add = [&](std::int32_t node) {
        if (!seen[at(node)]) {
            seen[at(node)] = true;
            found.push_back(node);
        }
    };
    const graph::forest::root &top = forest.roots[at(root)];
    if (top.node >= 0)
        seen[at(top.node)] = true;
    else
        add(top.deepest);
    for (const std::int32_t node : forest.waiting_for(top.first))
        add(node);
    // It grows meanwhile.
    std::size_t next = 0;
    while (next < found.size())
        for (const std::int32_t below : forest.waiting_for(found[next++]))
            add(below);
    return found;
}

void add_waits(scene &seen, const std::vector<std::int32_t> &nodes, impact &to) {
    std::set<Oid> users;
    for (const std::int32_t node : nodes) {
        users.insert(seen.process(seen.process_of(node)).role);
        const std::int32_t wait = seen.wait_of(node);
        const std::int64_t started = wait < 0 ? 0 : seen.picture().waits[wait].started;
        if (started == 0)
            continue;
        const std::int64_t passed = std::max<std::int64_t>(seen.picture().taken_at - started, 0);
        to.longest_wait = std::max(to.longest_wait, passed);
        to.sum_wait += passed;
        to.oldest_start = to.oldest_start == 0 ? started : std::min(to.oldest_start, started);
    }
    to.waiting_users = static_cast<std::int32_t>(users.size());
}

void add_locks(scene &seen, std::int32_t root, impact &to) {
    const graph::forest::root &top = seen.forest().roots[at(root)];
    std::set<Oid> relations;
    for (const graph::edge &one : seen.edges()) {
        const std::int32_t node = seen.node_of(one.blocker);
        const bool is_root =
            top.node >= 0 ? node == top.node : seen.forest().nodes[at(node)].cycle == top.cycle;
        if (!is_root || one.wait < 0)
            continue;
        const lock_object &lock = seen.lock_of(one.wait);
        // Everybody holds his own transaction exclusively; that says nothing.
        if (one.claim >= 0 && lock.type != LOCKTAG_TRANSACTION &&
            lock.type != LOCKTAG_VIRTUALTRANSACTION && lock.type != LOCKTAG_SPECULATIVE_TOKEN)
            for (int mode = 1; mode < LOCKSTEP_LOCK_MODES; ++mode)
                if ((seen.picture().claims[one.claim].held & (1U << mode)) != 0 &&
                    mode > to.strongest_mode) {
                    to.strongest_mode = mode;
                    to.strongest_lock = &lock;
                }
        const waited_row *row = seen.row_of(one.wait);
        const lock_place &place = seen.place_of_lock(seen.picture().waits[one.wait].lock);
        const bool has_row = row != nullptr && row->relation != InvalidOid;
        const Oid relation = has_row ? row->relation : place.relation.value_or(InvalidOid);
        const Oid database = has_row ? row->database : place.database.value_or(InvalidOid);
        // Looked up here, so that printing it later finds it known.
        if (relation != InvalidOid && seen.names().shows(database) &&
            !seen.names().relation_name(database, relation).empty())
            relations.insert(relation);
    }
    to.relations.assign(relations.begin(), relations.end());
}

// From the root down: what is waited for, in which mode. Without pids, keys, times and statements,
// so that the same situation has the same signature tomorrow, whoever looks.
std::string chain_of(scene &seen, std::int32_t root) {
    const graph::forest::root &top = seen.forest().roots[at(root)];
    std::vector<std::string> links;
    for (std::int32_t node = top.deepest; node >= 0 && node != top.node;
         node = seen.forest().nodes[at(node)].parent) {
        const std::int32_t wait = seen.wait_of(node);
        if (wait < 0) {
            links.emplace_back("safe snapshot");
            continue;
        }
        const lock_place &place = seen.place_of_lock(seen.picture().waits[wait].lock);
        const waited_row *row = seen.row_of(wait);
        const bool has_row = row != nullptr && row->relation != InvalidOid;
        std::string link = place.type;
        link += ' ';
        link += GetLockmodeName(seen.lock_of(wait).method, seen.picture().waits[wait].mode);
        if (has_row || place.relation)
            link += ' ' + seen.names().qualified_name(has_row ? row->database
                                                              : place.database.value_or(InvalidOid),
                                                      has_row ? row->relation : *place.relation);
        links.push_back(std::move(link));
    }
    std::string chain;
    std::ranges::reverse(links);
    for (const std::string &link : links)
        chain += (chain.empty() ? "" : " < ") + link;
    return chain;
}

} // namespace

impact impact_of(scene &seen, std::int32_t root) {
    impact found;
    add_waits(seen, everyone_behind(seen.forest(), root), found);
    add_locks(seen, root, found);
    found.chain = chain_of(seen, root);
    return found;
}

} // namespace lockstep
