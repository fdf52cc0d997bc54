#include "row_versions/history.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace lockstep {

using versions::fate;
using versions::side;
using versions::standing;

namespace {

struct command_ids {
    std::optional<CommandId> cmin;
    std::optional<CommandId> cmax;
};

inline namespace guarded {

CommandId cmin_in_guard(const HeapTupleHeaderData *version) {
    return HeapTupleHeaderGetCmin(const_cast<HeapTupleHeader>(version));
}

CommandId cmax_in_guard(const HeapTupleHeaderData *version) {
    return HeapTupleHeaderGetCmax(const_cast<HeapTupleHeader>(version));
}

} // namespace guarded

// Both share one field. Which of them it is, only the transaction itself knows for sure; of others
// it is told where nothing can have been written over it.
command_ids command_ids_of(const row_version &one, fate updated) {
    const HeapTupleHeaderData *const version = one.found.header();
    command_ids ids;
    if ((version->t_infomask & HEAP_MOVED) != 0)
        return ids;
    const bool is_combo = (version->t_infomask & HEAP_COMBOCID) != 0;
    const CommandId field = HeapTupleHeaderGetRawCommandId(version);
    const bool is_ended = TransactionIdIsValid(one.end.updater);
    if (one.begun == fate::own)
        ids.cmin = pg_call([version] { return cmin_in_guard(version); });
    else if (!is_combo && !TransactionIdIsValid(HeapTupleHeaderGetRawXmax(version)) &&
             one.begun != fate::frozen)
        ids.cmin = field;
    if (is_ended && updated == fate::own)
        ids.cmax = pg_call([version] { return cmax_in_guard(version); });
    else if (is_ended && !is_combo)
        ids.cmax = field;
    return ids;
}

fate begun_by(const HeapTupleHeaderData *version) {
    if (HeapTupleHeaderXminFrozen(version))
        return fate::frozen;
    const fate found = fate_of(HeapTupleHeaderGetRawXmin(version));
    // What others have noted at it says it still.
    if (found == fate::too_old && HeapTupleHeaderXminCommitted(version))
        return fate::committed;
    return found == fate::too_old && HeapTupleHeaderXminInvalid(version) ? fate::aborted : found;
}

const char *ended_by(const version_end &end, fate updated) {
    if (TransactionIdIsValid(end.updater))
        return fate_word(updated);
    if (!end.is_multi)
        return fate_word(fate_of(end.locker));
    if (end.is_forgotten)
        return fate_word(fate::too_old);
    const auto has = [&end](fate what) {
        return std::ranges::count(end.members, what, &version_locker::now) > 0;
    };
    for (const fate what : {fate::own, fate::in_progress})
        if (has(what))
            return fate_word(what);
    return "ended";
}

bool is_itself(const found_version &one) {
    return ItemPointerGetBlockNumberNoCheck(&one.header()->t_ctid) ==
               ItemPointerGetBlockNumberNoCheck(&one.place) &&
           ItemPointerGetOffsetNumberNoCheck(&one.header()->t_ctid) ==
               ItemPointerGetOffsetNumberNoCheck(&one.place);
}

MultiXactStatus lock_of(const HeapTupleHeaderData *version) {
    if (HEAP_XMAX_IS_KEYSHR_LOCKED(version->t_infomask))
        return MultiXactStatusForKeyShare;
    if (HEAP_XMAX_IS_SHR_LOCKED(version->t_infomask))
        return MultiXactStatusForShare;
    return (version->t_infomask2 & HEAP_KEYS_UPDATED) != 0 ? MultiXactStatusForUpdate
                                                           : MultiXactStatusForNoKeyUpdate;
}

std::string kind_of(const row_version &one) {
    const HeapTupleHeaderData *const version = one.found.header();
    if (!TransactionIdIsValid(HeapTupleHeaderGetRawXmax(version)))
        return "none";
    if (one.end.is_lock)
        return one.end.is_multi ? "locks" : std::string{"lock: "} + strength_word(lock_of(version));
    if (HeapTupleHeaderIndicatesMovedPartitions(version))
        return "move to another partition";
    if (is_itself(one.found))
        return "delete";
    return one.found.has_left_its_key ? "update to another key" : "update";
}

bool is_in(Snapshot snapshot, TransactionId xid) {
    return pg_call([=] { return XidInMVCCSnapshot(xid, snapshot); });
}

side beginning_of(const row_version &one, Snapshot snapshot) {
    const TransactionId xid = HeapTupleHeaderGetRawXmin(one.found.header());
    side begun{standing::seen, one.begun, transaction_text(xid),
               (one.found.header()->t_infomask & HEAP_UPDATED) != 0 ? "written" : "inserted"};
    if (one.begun == fate::frozen)
        begun.where = standing::always;
    else if (one.begun == fate::own)
        begun.where =
            one.cmin.value_or(0) >= snapshot->curcid ? standing::own_later : standing::own;
    else if (one.begun == fate::aborted)
        begun.where = standing::undone;
    else if (is_in(snapshot, xid))
        begun.where = standing::unseen;
    return begun;
}

side end_of(const row_version &one, fate updated, Snapshot snapshot) {
    const TransactionId xid = one.end.updater;
    side ended{standing::seen, updated, transaction_text(xid), verb_of(one)};
    if (!TransactionIdIsValid(xid))
        ended.where = one.end.is_lock ? standing::locked : standing::none;
    else if ((one.found.header()->t_infomask & HEAP_XMAX_INVALID) != 0 || updated == fate::aborted)
        ended.where = standing::undone;
    else if (updated == fate::own)
        ended.where =
            one.cmax.value_or(0) >= snapshot->curcid ? standing::own_later : standing::own;
    else if (is_in(snapshot, xid))
        ended.where = standing::unseen;
    return ended;
}

void describe(row_version &one, Snapshot snapshot) {
    if (!one.found.is_normal())
        return;
    const HeapTupleHeaderData *const version = one.found.header();
    one.begun = begun_by(version);
    one.end = lockstep::end_of(version);
    const fate updated = fate_of(one.end.updater);
    one.ended = ended_by(one.end, updated);
    one.kind = kind_of(one);
    const command_ids ids = command_ids_of(one, updated);
    one.cmin = ids.cmin;
    one.cmax = ids.cmax;
    const side beginning = beginning_of(one, snapshot);
    const side end = end_of(one, updated, snapshot);
    Assert((version->t_infomask & HEAP_MOVED) != 0 ||
           versions::is_visible(beginning.where, end.where) == one.found.is_visible);
    one.why = versions::why_visible(beginning, end);
}

using version_place = std::tuple<Oid, BlockNumber, OffsetNumber>;

version_place at(Oid table, const ItemPointerData &tid) {
    return {table, ItemPointerGetBlockNumberNoCheck(&tid), ItemPointerGetOffsetNumberNoCheck(&tid)};
}

constexpr std::size_t nothing = static_cast<std::size_t>(-1);

// The versions as they hang together.
class chains {
  public:
    explicit chains(std::vector<row_version> &all)
        : all_(all), next_(all.size(), nothing), has_former_(all.size(), false) {
        for (std::size_t i = 0; i < all.size(); ++i)
            by_place_[at(all[i].found.table, all[i].found.place)] = i;
        for (std::size_t i = 0; i < all.size(); ++i)
            link(i);
    }

    [[nodiscard]] std::vector<row_version> in_order() {
        std::vector<std::size_t> heads;
        for (std::size_t i = 0; i < all_.size(); ++i)
            if (!has_former_[i])
                heads.push_back(i);
        std::ranges::sort(heads, {}, [this](std::size_t i) { return age_order(i); });
        std::vector<row_version> ordered;
        int version = 0;
        int chain = 0;
        for (const std::size_t head : heads) {
            const bool left_over = is_left_over(head);
            chain += left_over ? 0 : 1;
            for (std::size_t i = head; i != nothing; i = next_[i]) {
                row_version &one = all_[i];
                one.number = one.found.is_normal() ? ++version : 0;
                one.chain = left_over ? 0 : chain;
                ordered.push_back(std::move(one));
            }
        }
        return ordered;
    }

  private:
    void link(std::size_t i) {
        const row_version &one = all_[i];
        const bool leads = one.found.line == LP_REDIRECT;
        if (!leads && !TransactionIdIsValid(one.end.updater))
            return;
        const auto next = by_place_.find(
            at(one.found.table, leads ? one.found.leads_to : one.found.header()->t_ctid));
        if (next == by_place_.end() || next->second == i || has_former_[next->second])
            return;
        const found_version &later = all_[next->second].found;
        if (!later.is_normal() ||
            (!leads && HeapTupleHeaderGetRawXmin(later.header()) != one.end.updater))
            return;
        next_[i] = next->second;
        has_former_[next->second] = true;
    }

    // A line pointer to nothing, or what updates that were rolled back have left behind: it may be
    // several, one from the other, and is still no life of the row.
    [[nodiscard]] bool is_left_over(std::size_t head) const {
        const row_version &one = all_[head];
        if (!one.found.is_normal())
            return next_[head] == nothing;
        return one.begun == fate::aborted && (one.found.header()->t_infomask & HEAP_UPDATED) != 0;
    }

    // The oldest first; before them what has no transaction any more.
    [[nodiscard]] std::tuple<std::uint32_t, version_place> age_order(std::size_t head) const {
        const row_version &one = all_[head];
        const std::size_t first = one.found.is_normal() ? head : next_[head];
        std::uint32_t age = std::numeric_limits<std::uint32_t>::max();
        if (first != nothing && all_[first].begun != fate::frozen)
            age = now_ - HeapTupleHeaderGetRawXmin(all_[first].found.header());
        return {~age, at(one.found.table, one.found.place)};
    }

    std::vector<row_version> &all_;
    std::vector<std::size_t> next_;
    std::vector<bool> has_former_;
    std::map<version_place, std::size_t> by_place_;
    TransactionId now_ = pg_call([] { return ReadNextTransactionId(); });
};

} // namespace

std::vector<row_version> history_of(std::span<const found_version> found, Snapshot snapshot) {
    std::vector<row_version> all;
    all.reserve(found.size());
    for (const found_version &one : found) {
        check_interrupts();
        all.emplace_back();
        all.back().found = one;
        describe(all.back(), snapshot);
    }
    return chains{all}.in_order();
}

std::string transaction_text(TransactionId xid) {
    return "transaction " + std::to_string(xid);
}

const char *verb_of(const row_version &one) {
    if (HeapTupleHeaderIndicatesMovedPartitions(one.found.header()))
        return "moved to another partition";
    return is_itself(one.found) ? "deleted" : "updated";
}

} // namespace lockstep
