#include "core/versions/visibility.hpp"

namespace lockstep::versions {

namespace {

bool has_begun(standing beginning) {
    return beginning == standing::own || beginning == standing::seen ||
           beginning == standing::always;
}

bool has_ended(standing end) {
    return end == standing::own || end == standing::seen;
}

std::string text_of(const side &one) {
    const std::string verb = one.verb;
    switch (one.where) {
    case standing::none: return "not deleted";
    case standing::locked: return "only locked";
    case standing::undone: return verb + " by " + one.who + ", which was rolled back";
    case standing::unseen: {
        const std::string by = verb + " by " + one.who;
        if (one.now == fate::in_progress)
            return by + ", which is in progress";
        if (one.now == fate::aborted)
            return by + ", which was in progress when the snapshot was taken";
        return by + ", which committed after the snapshot was taken";
    }
    case standing::own_later: return verb + " by this transaction, after the snapshot was taken";
    case standing::own: return verb + " by this transaction";
    case standing::seen: return verb + " by " + one.who + ", committed before the snapshot";
    case standing::always: return verb + " before all snapshots";
    }
    return {};
}

} // namespace

const char *fate_word(fate what) {
    switch (what) {
    case fate::none: break;
    case fate::frozen: return "frozen";
    case fate::committed: return "committed";
    case fate::aborted: return "aborted";
    case fate::in_progress: return "in progress";
    case fate::own: return "own transaction";
    case fate::too_old: return "too old to tell";
    }
    return "none";
}

bool is_visible(standing beginning, standing end) {
    return has_begun(beginning) && !has_ended(end);
}

std::string why_visible(const side &beginning, const side &end) {
    if (!has_begun(beginning.where))
        return text_of(beginning);
    if (has_ended(end.where))
        return text_of(end);
    return text_of(beginning) + "; " + text_of(end);
}

} // namespace lockstep::versions
