// The identity of one intent: made once by the caller, before the first attempt, and kept with it.
// The journal holds it for ever, so the same id can be sent again after any failure, from any
// process, and moves the amount once. A value type of 16 bytes.
#pragma once

#include <lockstep/core/export.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep {

class LOCKSTEP_EXPORT request_id {
  public:
    // A fresh id: a UUID of version 7, so that ids made one after the other stand side by side in
    // the journal's index. Any thread; one system call. Throws std::system_error when the system
    // gives no random bytes.
    [[nodiscard]] static request_id make();

    // Reads the usual 36 characters in either case; nothing for any other text.
    [[nodiscard]] static std::optional<request_id> parse(std::string_view text) noexcept;

    constexpr explicit request_id(const std::array<std::uint8_t, 16> &bytes) noexcept
        : bytes_(bytes) {}

    [[nodiscard]] constexpr const std::array<std::uint8_t, 16> &bytes() const noexcept {
        return bytes_;
    }

    // Lower case, with hyphens.
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] friend constexpr auto operator<=>(const request_id &,
                                                    const request_id &) noexcept = default;

  private:
    std::array<std::uint8_t, 16> bytes_;
};

} // namespace lockstep

template <>
struct std::hash<lockstep::request_id> {
    std::size_t operator()(const lockstep::request_id &id) const noexcept {
        // The last eight bytes are the random ones.
        std::uint64_t mixed = 0;
        for (std::size_t i = 8; i < 16; ++i)
            mixed = mixed << 8 | id.bytes()[i];
        return static_cast<std::size_t>(mixed);
    }
};
