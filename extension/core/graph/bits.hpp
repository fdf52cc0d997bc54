// Sets of small numbers, many of the same size, as rows of one block of words.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::graph {

class bit_rows {
  public:
    bit_rows(std::size_t rows, std::size_t width)
        : words_((width + 63) / 64), data_(rows * words_, 0) {}

    void set(std::size_t row, std::size_t bit) { at(row)[bit / 64] |= one(bit); }
    [[nodiscard]] bool has(std::size_t row, std::size_t bit) const {
        return (data_[row * words_ + bit / 64] & one(bit)) != 0;
    }
    void add(std::size_t row, const bit_rows &from, std::size_t from_row) {
        std::uint64_t *const to = at(row);
        const std::uint64_t *const more = from.data_.data() + from_row * from.words_;
        for (std::size_t i = 0; i < words_; ++i)
            to[i] |= more[i];
    }
    // What is in the other row, taken away.
    void remove(std::size_t row, const bit_rows &from, std::size_t from_row) {
        std::uint64_t *const to = at(row);
        const std::uint64_t *const less = from.data_.data() + from_row * from.words_;
        for (std::size_t i = 0; i < words_; ++i)
            to[i] &= ~less[i];
    }
    void clear(std::size_t row) {
        for (std::size_t i = 0; i < words_; ++i)
            at(row)[i] = 0;
    }
    void remove(std::size_t row, std::size_t bit) { at(row)[bit / 64] &= ~one(bit); }
    [[nodiscard]] std::size_t count(std::size_t row) const {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < words_; ++i)
            sum += static_cast<std::size_t>(std::popcount(data_[row * words_ + i]));
        return sum;
    }
    // The highest number in the row; -1 where it is empty.
    [[nodiscard]] std::ptrdiff_t highest(std::size_t row) const {
        for (std::size_t i = words_; i-- > 0;)
            if (const std::uint64_t word = data_[row * words_ + i]; word != 0)
                return static_cast<std::ptrdiff_t>(
                    i * 64 + 63 - static_cast<std::size_t>(std::countl_zero(word)));
        return -1;
    }
    // Each number in the row, upwards.
    template <class Visit>
    void each(std::size_t row, Visit &&visit) const {
        for (std::size_t i = 0; i < words_; ++i)
            for (std::uint64_t word = data_[row * words_ + i]; word != 0; word &= word - 1)
                visit(i * 64 + static_cast<std::size_t>(std::countr_zero(word)));
    }

  private:
    static std::uint64_t one(std::size_t bit) { return std::uint64_t{1} << (bit % 64); }
    std::uint64_t *at(std::size_t row) { return data_.data() + row * words_; }

    std::size_t words_;
    std::vector<std::uint64_t> data_;
};

} // namespace lockstep::graph
