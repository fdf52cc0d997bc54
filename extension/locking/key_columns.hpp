// The columns of a key, one by one, as the parameters of a statement: a key of one column is a row
// of one.
#pragma once

#include "pg/arrays.hpp"
#include "pg/row_key.hpp"
#include "pg/spi.hpp"

#include "core/call_memory.hpp"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace lockstep {

class key_columns {
  public:
    explicit key_columns(const key_type &type)
        : type_(type), parts_(type.row == nullptr ? &type : type.row->parts),
          count_(type.row == nullptr ? 1 : static_cast<std::size_t>(type.row->count)) {}

    [[nodiscard]] std::size_t count() const { return count_; }

    [[nodiscard]] std::vector<Oid> types() const {
        std::vector<Oid> types;
        for (std::size_t i = 0; i < count_; ++i)
            types.push_back(parts_[i].type);
        return types;
    }

    [[nodiscard]] std::array<Datum, INDEX_MAX_KEYS> of(Datum key) const {
        std::array<Datum, INDEX_MAX_KEYS> values{key};
        if (const key_row *row = type_.row) {
            std::array<bool, INDEX_MAX_KEYS> nulls{};
            Datum *to = values.data();
            bool *const to_nulls = nulls.data();
            pg_call([=] { take_key_apart(*row, key, to, to_nulls); });
        }
        return values;
    }

    [[nodiscard]] spi_parameters parameters(Datum key) const {
        spi_parameters parameters;
        const auto values = of(key);
        for (std::size_t i = 0; i < count_; ++i)
            parameters.add(values[i]);
        return parameters;
    }

    // Of many keys: one array a column.
    [[nodiscard]] spi_parameters arrays(std::span<const Datum> keys) const {
        std::vector<call_vector<std::optional<Datum>>> values(count_);
        for (const Datum key : keys) {
            const auto parts = of(key);
            for (std::size_t i = 0; i < count_; ++i)
                values[i].emplace_back(parts[i]);
        }
        spi_parameters parameters;
        for (std::size_t i = 0; i < count_; ++i)
            parameters.add(array_of(parts_[i].type, values[i]));
        return parameters;
    }

  private:
    const key_type &type_;
    const key_type *parts_;
    std::size_t count_;
};

} // namespace lockstep
