#include "row_versions/needs.hpp"

namespace lockstep {

namespace {

inline namespace guarded {

// As GlobalVisHorizonKindForRel() (procarray.c) has it; data for those that are local, too.
age::horizon_kind horizon_of(Relation table) {
    if (table->rd_rel->relisshared)
        return age::horizon_kind::shared_catalogs;
    if (IsCatalogRelation(table) || RelationIsAccessibleInLogicalDecoding(table))
        return age::horizon_kind::catalogs;
    return age::horizon_kind::data;
}

} // namespace guarded
} // namespace

version_needs::version_needs(Relation table)
    : in_recovery_(pg_call([] { return RecoveryInProgress(); })) {
    if (!RELATION_IS_LOCAL(table))
        kind_ = pg_call([table] { return horizon_of(table); });
}

version_needs::answer version_needs::not_needed() const {
    return {true, in_recovery_ ? "nobody on this standby needs it; its primary takes it away"
                               : "nobody needs it, and no VACUUM has come by yet"};
}

version_needs::answer version_needs::of_dead(TransactionId ended) {
    if (!kind_)
        return not_needed();
    if (!seen_)
        seen_.emplace();
    const age::horizon line{*kind_, MyDatabaseId, age::nowhere};
    const age::xid_place end = age::place_of(ended, seen_->next());
    const holder_row *oldest = nullptr;
    int others = -1;
    for (const holder_row &one : seen_->holders()) {
        const age::xid_place place = age::place_in(one.holder, line);
        // What it holds by repeating another's transaction, that one holds. Members of a parallel
        // query are one with their leader.
        if (place == age::nowhere || place > end || one.held.echo_of >= 0 || one.is_member)
            continue;
        ++others;
        if (oldest == nullptr || place < age::place_in(oldest->holder, line))
            oldest = &one;
    }
    if (oldest == nullptr)
        return not_needed();
    const age_process *process = seen_->process_of(*oldest);
    const bool is_own = process != nullptr && process->process.pid == MyProcPid;
    std::string why =
        (is_own ? std::string{"this session"} : seen_->label_of(*oldest)) + " may still need it";
    if (others > 0)
        why += ", and so may " + std::to_string(others) + (others == 1 ? " other" : " others");
    return {false, why};
}

version_needs::answer version_needs::of(const row_version &one) {
    if (one.found.line == LP_DEAD)
        return not_needed();
    if (!one.found.is_normal())
        return {};
    switch (one.found.state) {
    case HEAPTUPLE_LIVE:
    case HEAPTUPLE_INSERT_IN_PROGRESS: break;
    case HEAPTUPLE_DELETE_IN_PROGRESS:
        return {false, transaction_text(one.end.updater) + ", which has " + verb_of(one) +
                           " it, has not ended"};
    case HEAPTUPLE_DEAD: return not_needed();
    case HEAPTUPLE_RECENTLY_DEAD: return of_dead(one.found.ended);
    }
    return {};
}

void version_needs::release() {
    if (seen_)
        seen_->release();
}

} // namespace lockstep
