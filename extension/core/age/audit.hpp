// The audit as a page of text: worst first, each with what it holds, why that is bad, what to do.
#pragma once

#include "core/age/judge.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace lockstep::age {

struct audit_entry {
    severity level = severity::ok;
    std::string who;    // "session 4711 shop (keeper in shop)"
    std::string holds;  // what it holds, and what ending it frees
    std::string reason; // why this severity
    std::string advice;
    std::string action; // what to run for it, once decided
};

struct audit_page {
    std::vector<std::string> head;    // lines at the top
    std::vector<audit_entry> entries; // worst first
    std::size_t most = 5;             // written out, from warnings on; the rest is counted
};

// Lines of 100 characters at most, but for what is to be run, which stays in one piece. Ends with a
// line break.
[[nodiscard]] std::string audit_text(const audit_page &page);

} // namespace lockstep::age
