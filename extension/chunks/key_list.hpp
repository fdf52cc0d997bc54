// Many keys as texts, in a few bytes each, outside of any transaction: what a type means may be
// changed by others from one transaction to the next, a text may not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

class key_list {
  public:
    void add(std::string_view key) {
        bytes_ += key;
        ends_.push_back(bytes_.size());
    }

    [[nodiscard]] std::size_t size() const { return ends_.size(); }
    [[nodiscard]] std::string_view operator[](std::size_t i) const {
        const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
        return std::string_view{bytes_}.substr(begin, ends_[i] - begin);
    }

    // All that is in it, for a digest: two lists with the same in both are the same.
    [[nodiscard]] std::span<const std::uint8_t> bytes() const {
        return {reinterpret_cast<const std::uint8_t *>(bytes_.data()), bytes_.size()};
    }
    [[nodiscard]] std::span<const std::uint8_t> ends() const {
        return {reinterpret_cast<const std::uint8_t *>(ends_.data()),
                ends_.size() * sizeof(ends_[0])};
    }

  private:
    std::string bytes_;
    std::vector<std::uint64_t> ends_;
};

} // namespace lockstep
