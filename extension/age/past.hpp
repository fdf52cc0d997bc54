// The history as the caller may see it.
#pragma once

#include "activity/sessions.hpp"
#include "age/history.h"
#include "core/age/horizon_holder.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace lockstep {

// The age that an id had when the sample was taken; nothing where there was none.
[[nodiscard]] std::optional<std::int64_t> age_then(const age_sample &sample, TransactionId xid);

class past {
  public:
    explicit past(sessions &activity) : activity_(activity), sees_states_(activity.may_see_all()) {}

    // Who held the most.
    struct top {
        age::holder_kind kind;
        std::optional<Datum> name; // text
        std::optional<TimestampTz> since;
    };
    [[nodiscard]] std::optional<top> top_of(const age_sample &sample);

    // How many transactions the oldest of a kind held.
    [[nodiscard]] std::optional<std::int64_t> held_by(const age_sample &sample,
                                                      age::holder_kind kind) const;

  private:
    [[nodiscard]] std::optional<Datum> name_of(const age_sample &sample);

    sessions &activity_;
    bool sees_states_; // what sessions did, whoever they were
    // Thousands of samples say the same: the text is made once.
    std::string last_name_;
    std::optional<Datum> last_value_;
};

} // namespace lockstep
