#include "age/past.hpp"

#include "pg/values.hpp"

namespace lockstep {

using age::holder_kind;

std::optional<std::int64_t> age_then(const age_sample &sample, TransactionId xid) {
    const auto next = static_cast<age::xid_place>(sample.next_xid);
    return age::age_of(age::place_of(xid, next), next);
}

std::optional<past::top> past::top_of(const age_sample &sample) {
    if (sample.top_oldest == InvalidTransactionId)
        return std::nullopt;
    // Without a role it is no session.
    const bool may_see = sample.top_role == InvalidOid || activity_.may_see(sample.top_role);
    top found{static_cast<holder_kind>(sample.top_kind), name_of(sample), std::nullopt};
    if (may_see && sample.top_since != 0)
        found.since = sample.top_since;
    if (!may_see && age::tells_state(found.kind))
        found.kind = holder_kind::session;
    return found;
}

std::optional<std::int64_t> past::held_by(const age_sample &sample, holder_kind kind) const {
    if (age::tells_state(kind) && !sees_states_)
        return std::nullopt;
    return age_then(sample, sample.oldest[static_cast<std::size_t>(kind)]);
}

std::optional<Datum> past::name_of(const age_sample &sample) {
    // The sampler does not know the names of prepared transactions; as long as one is there, it is
    // known now.
    if (static_cast<holder_kind>(sample.top_kind) == holder_kind::prepared)
        for (const prepared_transaction &listed : activity_.prepared())
            if (listed.xid == sample.top_oldest)
                return listed.gid;
    if (sample.top_name[0] == '\0')
        return std::nullopt;
    if (!last_value_ || last_name_ != sample.top_name) {
        last_name_ = sample.top_name;
        last_value_ = text_datum(sample.top_name);
    }
    return last_value_;
}

} // namespace lockstep
