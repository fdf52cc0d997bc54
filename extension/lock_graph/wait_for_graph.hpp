// Everything about one instant that the views show: the snapshot of the lock manager, the edges,
// the forest, and the rows behind the waits. One is made for each call and thrown away with it.
#pragma once

#include "activity/catalogs.hpp"
#include "activity/sessions.hpp"
#include "core/graph/drawing.hpp"
#include "core/graph/edges.hpp"
#include "core/graph/forest.hpp"
#include "lock_graph/places.hpp"
#include "lock_graph/row_key.hpp"
#include "lock_graph/waited_rows.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace lockstep {

class wait_for_graph {
  public:
    explicit wait_for_graph(graph::extent wanted);
    // Lets go of the catalogs; the end of every call that made a graph.
    void release() { names_.release(); }

    [[nodiscard]] sessions &activity() { return sessions_; }
    [[nodiscard]] const lock_snapshot &snapshot() const { return snapshot_; }
    [[nodiscard]] const std::vector<graph::edge> &edges() const { return edges_; }
    [[nodiscard]] const graph::forest &forest() const { return forest_; }
    // The edges of the reduced graph, by who waits, in the order of the tree.
    [[nodiscard]] std::vector<const graph::edge *> edges_in_tree_order() const;

    [[nodiscard]] const lock_process &process(std::int32_t index) const {
        return processes_[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] const session &session_of(std::int32_t process_index) {
        std::optional<session> &known = described_[static_cast<std::size_t>(process_index)];
        if (!known)
            known = sessions_.describe(process(process_index));
        return *known;
    }
    [[nodiscard]] const char *kind_of(std::int32_t process_index);
    [[nodiscard]] std::int32_t leader_pid(std::int32_t process_index) const {
        return process(process(process_index).leader).pid;
    }

    // A node is a lock group, named by its leading process.
    [[nodiscard]] std::int32_t node_of(std::int32_t process_index) const {
        return node_of_process_[static_cast<std::size_t>(process(process_index).leader)];
    }
    [[nodiscard]] std::int32_t process_of(std::int32_t node) const {
        return process_of_node_[static_cast<std::size_t>(node)];
    }
    // The wait that the group shows: its leader's, else the first of a member; -1: it waits for no
    // lock.
    [[nodiscard]] std::int32_t wait_of(std::int32_t node) const {
        return wait_of_node_[static_cast<std::size_t>(node)];
    }
    // A process that waits in the queue of submit: the one that it waits for there; else -1.
    [[nodiscard]] std::int32_t submit_blocker_of(std::int32_t process_index) const {
        const auto found = submit_waits_.find(process_index);
        return found == submit_waits_.end() ? -1 : found->second.blocker;
    }
    // Since when the group waits, as what it shows; 0: it is not known, or it waits for nothing.
    [[nodiscard]] TimestampTz wait_start_of(std::int32_t node) const;
    // The same of a process that waits for no lock.
    [[nodiscard]] TimestampTz submit_start_of(std::int32_t process_index) const {
        const auto found = submit_waits_.find(process_index);
        return found == submit_waits_.end() ? 0 : found->second.started;
    }
    // Stable from one instant to the next: the pid, or less than zero the xid of a prepared
    // transaction.
    [[nodiscard]] std::int64_t node_id(std::int32_t node) const;
    [[nodiscard]] std::int64_t root_id(std::int32_t root) const {
        return root_ids_[static_cast<std::size_t>(root)];
    }

    // Place in the queue, from 1, and how many stand in it.
    [[nodiscard]] std::int32_t queue_position(std::int32_t wait) const {
        return wait - lock_of(wait).first_wait + 1;
    }
    [[nodiscard]] const lock_object &lock_of(std::int32_t wait) const {
        return snapshot_.locks[snapshot_.waits[wait].lock];
    }
    [[nodiscard]] const lock_place &place_of_lock(std::int32_t lock);
    // The row that is waited for; nothing where the wait is not for a row.
    [[nodiscard]] const waited_row *row_of(std::int32_t wait) const;
    // The relation of that row, else of the lock; nothing where there is none.
    struct relation {
        Oid database;
        Oid oid;
    };
    [[nodiscard]] std::optional<relation> relation_of(std::int32_t wait);
    // What is waited for in words: the row where one is known, else the lock. Where the row's key
    // is not read because of a lock on the table, with who has that lock or is next to have it.
    [[nodiscard]] std::string what(std::int32_t wait);
    // The same of a wait in the queue of submit.
    [[nodiscard]] std::string what_in_submit(std::int32_t process_index) const;

    [[nodiscard]] std::optional<Datum> database_name(Oid database) {
        return sessions_.database_name(database);
    }
    [[nodiscard]] catalogs &names() { return names_; }

  private:
    void add_latent_edges();
    void add_safe_snapshot_edges();
    void add_submit_edges();
    void number_nodes();
    void build_forest();
    [[nodiscard]] std::vector<TimestampTz> longest_waits() const;
    [[nodiscard]] std::vector<std::int32_t>
    waits_to_show(const std::vector<TimestampTz> &longest) const;
    [[nodiscard]] std::int32_t add_process(const lock_process &process);
    [[nodiscard]] std::int32_t process_with_pid(std::int32_t pid);
    [[nodiscard]] std::int32_t process_with_xid(TransactionId xid);
    [[nodiscard]] std::int32_t some_prepared();
    [[nodiscard]] const std::string &who_keeps_readers_out(Oid table);
    [[nodiscard]] std::string keeps_readers_out(const lock_object &lock) const;

    const lock_snapshot &snapshot_;
    catalogs names_;
    sessions sessions_;
    std::vector<lock_process> processes_;           // the snapshot's, and those that were met later
    std::vector<std::optional<session>> described_; // by process, when first asked for
    std::vector<graph::edge> edges_;
    struct submit_wait {
        std::int32_t blocker;
        TimestampTz started;
    };
    std::map<std::int32_t, submit_wait> submit_waits_; // by process
    std::vector<waited_row> rows_;                     // of waits, by wait_row_
    std::vector<std::int32_t> wait_row_;               // by wait: index in rows_, or -1
    graph::forest forest_;
    std::vector<std::int32_t> node_of_process_;
    std::vector<std::int32_t> process_of_node_;
    std::vector<std::int32_t> wait_of_node_;
    std::vector<std::int64_t> root_ids_; // by root
    std::map<std::int32_t, lock_place> places_;
    std::optional<std::map<Oid, std::string>> keeping_readers_out_; // by table
};

} // namespace lockstep
