#include <lockstep/error.hpp>

#include <charconv>
#include <string_view>

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

std::optional<std::size_t> error::batch_index() const noexcept {
    constexpr std::string_view before = "Item ", after = " of the batch.";
    std::string_view rest = facts_.detail;
    if (!rest.starts_with(before))
        return std::nullopt;
    rest.remove_prefix(before.size());
    std::size_t number = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (problem != std::errc{} || number == 0 || !rest.starts_with(after))
        return std::nullopt;
    return number - 1;
}

gave_up::gave_up(const std::string &message, error_facts facts, reason why)
    : error(message, std::move(facts)), why_(why) {}

in_doubt::in_doubt(const std::string &message, error_facts facts, std::vector<request_id> ids)
    : error(message, std::move(facts)), ids_(std::move(ids)) {}

} // namespace lockstep
