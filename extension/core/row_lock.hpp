// How a row is locked: the server's four strengths, from the weakest up, and what is done where
// others are in the way.
#pragma once

#include <optional>
#include <string_view>

namespace lockstep {

enum class lock_strength { key_share, share, no_key_update, update };

enum class lock_wait { block, nowait, skip };

// By the words of the SQL functions: key share, share, no key update, update; block, nowait, skip.
[[nodiscard]] constexpr std::optional<lock_strength> strength_of(std::string_view word) {
    if (word == "key share")
        return lock_strength::key_share;
    if (word == "share")
        return lock_strength::share;
    if (word == "no key update")
        return lock_strength::no_key_update;
    if (word == "update")
        return lock_strength::update;
    return std::nullopt;
}

[[nodiscard]] constexpr std::optional<lock_wait> wait_of(std::string_view word) {
    if (word == "block")
        return lock_wait::block;
    if (word == "nowait")
        return lock_wait::nowait;
    if (word == "skip")
        return lock_wait::skip;
    return std::nullopt;
}

// As a statement says it, after its FOR.
[[nodiscard]] constexpr std::string_view clause_of(lock_strength strength) {
    switch (strength) {
    case lock_strength::key_share: return "KEY SHARE";
    case lock_strength::share: return "SHARE";
    case lock_strength::no_key_update: return "NO KEY UPDATE";
    default: return "UPDATE";
    }
}

} // namespace lockstep
