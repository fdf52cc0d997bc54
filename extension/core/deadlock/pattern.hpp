// What two deadlocks have in common: the statements without their values, and what each wanted,
// whoever of them was the victim.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lockstep::deadlock {

// A statement with ? for each constant and parameter, one for a list of them, and without comments
// and spare blanks. It is for people and for comparing, not to be run: what is cut or not SQL stays
// as it is.
[[nodiscard]] std::string without_values(std::string_view statement);

// Whether the statement is an INSERT, as far as its first word tells.
[[nodiscard]] bool is_insert(std::string_view statement);

// One who waited: what he ran, without values, and what he wanted.
struct crossing {
    std::string statement;
    std::string wanted;
};

// The cycle as one text, from whichever member it is told.
[[nodiscard]] std::string pattern_of(std::span<const crossing> cycle);

} // namespace lockstep::deadlock
