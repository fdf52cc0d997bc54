#include <lockstep/error.hpp>

namespace lockstep {

std::string_view to_string(phase where) noexcept {
    switch (where) {
    case phase::connect: return "connect";
    case phase::begin: return "begin";
    case phase::body: return "body";
    case phase::commit: return "commit";
    case phase::verify: return "verify";
    }
    return "body";
}

error::error(const std::string &message, error_facts facts)
    : std::runtime_error(message), facts_(std::move(facts)) {}

gave_up::gave_up(const std::string &message, error_facts facts, reason why)
    : error(message, std::move(facts)), why_(why) {}

in_doubt::in_doubt(const std::string &message, error_facts facts,
                   std::optional<lockstep::request_id> id)
    : error(message, std::move(facts)), id_(id) {}

} // namespace lockstep
