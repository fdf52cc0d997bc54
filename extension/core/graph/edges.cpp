#include "core/graph/edges.hpp"

#include "core/graph/bits.hpp"

namespace lockstep::graph {

namespace {

// By process, for the lock at hand; -1 everywhere between locks, so that a lock costs what it has
// and not what the whole snapshot has.
struct by_process {
    explicit by_process(std::size_t count) : place(count, -1), first_of_group(count, -1) {}
    std::vector<std::int32_t> place;          // in the queue
    std::vector<std::int32_t> first_of_group; // by leading process: an entry of its group
};

// One lock, its proclocks numbered so that the queue comes first: entry i below `queued` stands at
// place i of the queue, the others only hold.
class one_lock {
  public:
    one_lock(const lock_snapshot &snapshot, const lock_object &lock, by_process &known)
        : snapshot_(snapshot), lock_(lock), known_(known),
          queued_(static_cast<std::size_t>(lock.waits)),
          entries_(static_cast<std::size_t>(lock.proclocks)), proclock_of_(entries_),
          next_of_group_(entries_), held_(modes, entries_), waiting_(modes, entries_),
          reach_(queued_, entries_), scratch_(rows, entries_) {
        number_entries();
    }

    void add_edges(extent wanted, std::vector<edge> &to) {
        for (std::size_t place = 0; place < queued_; ++place) {
            find_blockers(place);
            choose_nearest(place);
            emit(place, wanted, to);
            waiting_.set(mode_at(place), place);
            waiting_modes_ |= 1U << mode_at(place);
        }
        for (std::size_t entry = 0; entry < entries_; ++entry) {
            const std::int32_t process = proclock_of(entry).process;
            known_.place[static_cast<std::size_t>(process)] = -1;
            known_.first_of_group[static_cast<std::size_t>(leader_of(process))] = -1;
        }
    }

  private:
    static constexpr std::size_t modes = LOCKSTEP_LOCK_MODES;
    enum scratch_row : std::size_t { hard, soft, open, behind, nearest, rows };

    [[nodiscard]] const lock_wait &wait_at(std::size_t place) const {
        return snapshot_.waits[static_cast<std::size_t>(lock_.first_wait) + place];
    }
    [[nodiscard]] std::size_t mode_at(std::size_t place) const {
        return static_cast<std::size_t>(wait_at(place).mode);
    }
    [[nodiscard]] const lock_proclock &proclock_of(std::size_t entry) const {
        return snapshot_.proclocks[proclock_of_[entry]];
    }
    [[nodiscard]] std::int32_t leader_of(std::int32_t process) const {
        return snapshot_.processes[process].leader;
    }

    void number_entries() {
        // A process queues once at most.
        for (std::size_t place = 0; place < queued_; ++place)
            known_.place[static_cast<std::size_t>(wait_at(place).process)] =
                static_cast<std::int32_t>(place);
        std::size_t next = queued_;
        for (std::size_t i = 0; i < entries_; ++i) {
            const std::size_t at = static_cast<std::size_t>(lock_.first_proclock) + i;
            const lock_proclock &proclock = snapshot_.proclocks[at];
            const std::int32_t place = known_.place[static_cast<std::size_t>(proclock.process)];
            const std::size_t entry = place >= 0 ? static_cast<std::size_t>(place) : next++;
            proclock_of_[entry] = at;
            std::int32_t &first =
                known_.first_of_group[static_cast<std::size_t>(leader_of(proclock.process))];
            next_of_group_[entry] = first;
            first = static_cast<std::int32_t>(entry);
            held_modes_ |= proclock.held;
            for (std::size_t mode = 1; mode < modes; ++mode)
                if ((proclock.held & (1U << mode)) != 0)
                    held_.set(mode, entry);
        }
    }

    void find_blockers(std::size_t place) {
        scratch_.clear(hard);
        scratch_.clear(soft);
        const std::uint32_t conflicts = snapshot_.conflicts[lock_.method][mode_at(place)];
        for (std::size_t mode = 1; mode < modes; ++mode) {
            if ((conflicts & held_modes_ & (1U << mode)) != 0)
                scratch_.add(hard, held_, mode);
            if ((conflicts & waiting_modes_ & (1U << mode)) != 0)
                scratch_.add(soft, waiting_, mode);
        }
        // Whoever blocks both ways blocks by what it holds. A group does not block itself.
        scratch_.remove(soft, scratch_, hard);
        drop_own(place, hard);
        drop_own(place, soft);
    }

    void drop_own(std::size_t place, std::size_t row) {
        if (lock_.in_group) {
            scratch_.remove(row, place);
            return;
        }
        const auto leader = static_cast<std::size_t>(leader_of(wait_at(place).process));
        for (std::int32_t entry = known_.first_of_group[leader]; entry >= 0;
             entry = next_of_group_[static_cast<std::size_t>(entry)])
            scratch_.remove(row, static_cast<std::size_t>(entry));
    }

    // Keeps what must stay, then from the nearest backwards whatever is not reached by then. Every
    // edge that is dropped leads to an entry that an earlier place, kept, reaches by edges that are
    // kept.
    void choose_nearest(std::size_t place) {
        scratch_.clear(open);
        scratch_.clear(behind);
        scratch_.clear(nearest);
        scratch_.add(open, scratch_, soft);
        scratch_.each(hard, [&](std::size_t entry) {
            if (lock_.is_tuple && (entry < place || entry >= queued_))
                scratch_.set(open, entry);
            else
                keep(place, entry);
        });
        // The queue first, from the nearest; who only holds is numbered behind it.
        for (std::ptrdiff_t next = scratch_.highest(open); next >= 0;
             next = scratch_.highest(open)) {
            const auto entry = static_cast<std::size_t>(next);
            scratch_.remove(open, entry);
            if (entry >= queued_)
                scratch_.set(behind, entry);
            else if (!reach_.has(place, entry))
                keep(place, entry);
            scratch_.remove(open, reach_, place);
        }
        scratch_.each(behind, [&](std::size_t entry) {
            if (!reach_.has(place, entry))
                keep(place, entry);
        });
    }

    void keep(std::size_t place, std::size_t entry) {
        scratch_.set(nearest, entry);
        reach_.set(place, entry);
        if (entry < place)
            reach_.add(place, reach_, entry);
    }

    void emit(std::size_t place, extent wanted, std::vector<edge> &to) {
        const auto wait =
            static_cast<std::int32_t>(static_cast<std::size_t>(lock_.first_wait) + place);
        const std::int32_t me = wait_at(place).process;
        for (const scratch_row row : {hard, soft}) {
            const bool whole = wanted == extent::all || (wanted == extent::hard_too && row == hard);
            scratch_.each(whole ? row : nearest, [&](std::size_t entry) {
                if (!scratch_.has(row, entry))
                    return;
                const std::int32_t other = proclock_of(entry).process;
                to.push_back({me, other, wait, static_cast<std::int32_t>(proclock_of_[entry]),
                              row == hard ? edge_kind::hard : edge_kind::soft,
                              scratch_.has(nearest, entry), leader_of(other) == leader_of(me)});
            });
        }
    }

    const lock_snapshot &snapshot_;
    const lock_object &lock_;
    by_process &known_;
    std::size_t queued_;
    std::size_t entries_;
    std::vector<std::size_t> proclock_of_;
    std::vector<std::int32_t> next_of_group_; // by entry: the next of the same group, or -1
    bit_rows held_;                           // by mode: who holds it
    bit_rows waiting_; // by mode: who waits for it, of the places passed so far
    bit_rows reach_;   // by place: whom it waits for, over kept edges of this lock
    bit_rows scratch_; // of the place at hand
    std::uint32_t held_modes_ = 0;
    std::uint32_t waiting_modes_ = 0;
};

} // namespace

std::vector<edge> edges_of(const lock_snapshot &snapshot, extent wanted) {
    std::vector<edge> edges;
    by_process known(static_cast<std::size_t>(snapshot.process_count));
    for (std::int32_t i = 0; i < snapshot.lock_count; ++i)
        one_lock(snapshot, snapshot.locks[i], known).add_edges(wanted, edges);
    return edges;
}

} // namespace lockstep::graph
