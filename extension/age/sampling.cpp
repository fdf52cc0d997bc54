#include "age/sampling.hpp"

#include "activity/sessions.hpp"
#include "age/history.h"
#include "age/holder_of.hpp"
#include "age/instant.h"
#include "age/sampler.h"

#include <cstring>

namespace lockstep {

static_assert(age::holder_kinds == LOCKSTEP_HOLDER_KINDS);

namespace {

class sample_maker {
  public:
    explicit sample_maker(const age_instant &now) : now_(now), next_(next_place(now)) {
        const age_counters &counters = now.counters;
        sample_.taken_at = now.taken_at;
        sample_.next_xid = counters.next_xid;
        sample_.next_multi = counters.next_multi;
        sample_.oldest_multi = counters.oldest_multi;
        sample_.oldest_xid = counters.oldest_xid;
        sample_.oldest_database = counters.oldest_database;
    }

    void add(const age_process &one, const PgBackendStatus *status) {
        const auto made = holder_of(one, status, true, now_);
        if (!made || !add(*made, one.process.pid))
            return;
        sample_.top_role = one.process.role;
        if (status == nullptr)
            return;
        sample_.top_since = status->st_xact_start_timestamp;
        if (status->st_appname != nullptr)
            strlcpy(sample_.top_name, status->st_appname, sizeof(sample_.top_name));
    }

    void add(const age_slot &one) {
        const auto made = holder_of(one, now_);
        if (!made || !add(*made, one.active_pid))
            return;
        static_assert(sizeof(sample_.top_name) == sizeof(one.name));
        std::memcpy(sample_.top_name, one.name, sizeof(sample_.top_name));
    }

    [[nodiscard]] const age_sample &sample() const { return sample_; }

  private:
    // Whether it holds more than all before it.
    bool add(const age::horizon_holder &one, std::int32_t pid) {
        const age::xid_place place = one.oldest();
        if (place == age::nowhere)
            return false;
        const auto number = static_cast<std::size_t>(one.kind);
        const auto xid = static_cast<TransactionId>(place);
        if (place < age::place_of(sample_.oldest[number], next_))
            sample_.oldest[number] = xid;
        if (one.reaches == age::reach::subtrans_only)
            return false;
        // Of several at one place it is the one whose transaction it is.
        const age::xid_place top = age::place_of(sample_.top_oldest, next_);
        if (place > top || (place == top && one.xid != place))
            return false;
        sample_.top_oldest = xid;
        sample_.top_kind = static_cast<std::int32_t>(number);
        sample_.top_pid = pid;
        sample_.top_database = one.database;
        sample_.top_role = InvalidOid;
        sample_.top_since = 0;
        std::memset(sample_.top_name, 0, sizeof(sample_.top_name));
        return true;
    }

    const age_instant &now_;
    age::xid_place next_;
    age_sample sample_{};
};

void take_sample() {
    const age_instant &now = *pg_call([] {
        pgstat_clear_backend_activity_snapshot();
        return lockstep_take_instant(false);
    });
    sessions activity(false);
    sample_maker made(now);
    for (std::int32_t i = 0; i < now.process_count; ++i) {
        const age_process &one = now.processes[i];
        made.add(one, one.process.prepared != 0 ? nullptr : activity.status_of(one.process.pid));
    }
    for (std::int32_t i = 0; i < now.slot_count; ++i)
        made.add(now.slots[i]);
    const age_sample &sample = made.sample();
    pg_call([&sample] { lockstep_add_sample(&sample); });
}

void take_guarded() {
    enter(take_sample);
}

} // namespace

void install_age_sampler() {
    lockstep_install_history();
    lockstep_install_age_sampler(take_guarded);
}

} // namespace lockstep
