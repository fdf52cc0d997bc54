// Fills a rows value from the driver's result, cell by cell.
#pragma once

#include <lockstep/rows.hpp>

#include <utility>

namespace lockstep {

class rows::builder {
  public:
    void add_column(std::string name) { built_.names_.push_back(std::move(name)); }

    void reserve(std::size_t count, std::size_t bytes) {
        built_.cells_.reserve(count * built_.names_.size());
        built_.text_.reserve(bytes);
    }

    // Row by row, each with as many cells as there are columns.
    void add_cell(std::string_view text) {
        built_.cells_.push_back({built_.text_.size(), text.size(), false});
        built_.text_ += text;
    }
    void add_null() { built_.cells_.push_back({built_.text_.size(), 0, true}); }

    void set_count(std::size_t count) noexcept { built_.count_ = count; }
    void set_affected(std::int64_t affected) noexcept { built_.affected_ = affected; }

    [[nodiscard]] rows finish() { return std::move(built_); }

  private:
    rows built_;
};

} // namespace lockstep
