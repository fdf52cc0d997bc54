// The rows that a statement returned, copied out of the driver: a value that may outlive
// transaction, session and pool. Rows and fields are views into it: keep the rows object while you
// use them.
#pragma once

#include <lockstep/amount.hpp>
#include <lockstep/core/export.hpp>
#include <lockstep/request_id.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep {

class rows;

// One value, in the server's text form.
class LOCKSTEP_EXPORT field {
  public:
    [[nodiscard]] bool is_null() const noexcept { return !text_.has_value(); }

    // The server's text; throws std::invalid_argument for NULL.
    [[nodiscard]] std::string_view text() const;

    // Reads the text as an integer, bool, double, std::string, std::string_view, amount or
    // request_id. Throws std::invalid_argument for NULL and for text that is not exactly that.
    template <class Value>
    [[nodiscard]] Value as() const;

    // Nothing for NULL.
    template <class Value>
    [[nodiscard]] std::optional<Value> as_optional() const {
        if (is_null())
            return std::nullopt;
        return as<Value>();
    }

  private:
    friend class row;
    field(std::string_view column, std::optional<std::string_view> text) noexcept
        : column_(column), text_(text) {}

    [[nodiscard]] std::int64_t signed_between(std::int64_t least, std::int64_t most) const;
    [[nodiscard]] std::uint64_t unsigned_up_to(std::uint64_t most) const;

    std::string_view column_;
    std::optional<std::string_view> text_;
};

// clang-format off
template <> bool field::as<bool>() const;
template <> double field::as<double>() const;
template <> std::string field::as<std::string>() const;
template <> std::string_view field::as<std::string_view>() const;
template <> amount field::as<amount>() const;
template <> request_id field::as<request_id>() const;
// clang-format on

template <class Value>
Value field::as() const {
    static_assert(std::integral<Value>, "no conversion from a field to this type");
    using limits = std::numeric_limits<Value>;
    if constexpr (std::signed_integral<Value>)
        return static_cast<Value>(signed_between(limits::min(), limits::max()));
    else
        return static_cast<Value>(unsigned_up_to(limits::max()));
}

class LOCKSTEP_EXPORT row {
  public:
    // Throws std::out_of_range for a column that is not there.
    [[nodiscard]] field operator[](std::size_t column) const;
    [[nodiscard]] field operator[](std::string_view column) const; // the first of that name

    [[nodiscard]] std::size_t size() const noexcept;

  private:
    friend class rows;
    row(const rows &home, std::size_t index) noexcept : home_(&home), index_(index) {}

    const rows *home_;
    std::size_t index_;
};

class LOCKSTEP_EXPORT rows {
  public:
    class iterator {
      public:
        using value_type = row;
        using reference = row;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;

        iterator(const rows &home, std::size_t index) noexcept : home_(&home), index_(index) {}
        row operator*() const { return (*home_)[index_]; }
        iterator &operator++() noexcept {
            ++index_;
            return *this;
        }
        iterator operator++(int) noexcept {
            iterator before = *this;
            ++index_;
            return before;
        }
        friend bool operator==(const iterator &, const iterator &) noexcept = default;

      private:
        const rows *home_;
        std::size_t index_;
    };

    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t columns() const noexcept { return names_.size(); }
    [[nodiscard]] const std::string &column_name(std::size_t column) const {
        return names_.at(column);
    }

    // Rows that the statement inserted, updated, deleted or returned, as the server counted them.
    [[nodiscard]] std::int64_t affected() const noexcept { return affected_; }

    // Throws std::out_of_range when there are not so many.
    [[nodiscard]] row operator[](std::size_t index) const;

    [[nodiscard]] iterator begin() const noexcept { return {*this, 0}; }
    [[nodiscard]] iterator end() const noexcept { return {*this, count_}; }

    // Fills a result row by row; used by the driver's side.
    class builder;

  private:
    friend class row;
    struct cell {
        std::size_t offset;
        std::size_t length;
        bool null;
    };

    std::vector<std::string> names_;
    std::vector<cell> cells_; // row by row
    std::string text_;        // all values, one after the other
    std::size_t count_ = 0;
    std::int64_t affected_ = 0;
};

} // namespace lockstep
