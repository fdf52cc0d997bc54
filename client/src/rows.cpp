#include <lockstep/rows.hpp>

#include <charconv>
#include <stdexcept>

namespace lockstep {
namespace {

[[noreturn]] void fail(std::string_view column, std::string_view text, const char *wanted) {
    throw std::invalid_argument("column \"" + std::string(column) + "\" holds \"" +
                                std::string(text.substr(0, 60)) + "\", which is not " + wanted);
}

template <class Number>
Number read(std::string_view column, std::string_view text, const char *wanted) {
    Number value{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size())
        fail(column, text, wanted);
    return value;
}

} // namespace

std::string_view field::text() const {
    if (!text_)
        throw std::invalid_argument("column \"" + std::string(column_) + "\" is NULL");
    return *text_;
}

std::int64_t field::signed_between(std::int64_t least, std::int64_t most) const {
    const auto value = read<std::int64_t>(column_, text(), "a whole number of this size");
    if (value < least || value > most)
        fail(column_, text(), "a whole number of this size");
    return value;
}

std::uint64_t field::unsigned_up_to(std::uint64_t most) const {
    const auto value = read<std::uint64_t>(column_, text(), "an unsigned number of this size");
    if (value > most)
        fail(column_, text(), "an unsigned number of this size");
    return value;
}

template <>
bool field::as<bool>() const {
    if (text() == "t")
        return true;
    if (text() != "f")
        fail(column_, text(), "a boolean");
    return false;
}

template <>
double field::as<double>() const {
    return read<double>(column_, text(), "a number");
}

template <>
std::string field::as<std::string>() const {
    return std::string(text());
}

template <>
std::string_view field::as<std::string_view>() const {
    return text();
}

template <>
amount field::as<amount>() const {
    return amount(text());
}

template <>
request_id field::as<request_id>() const {
    const auto id = request_id::parse(text());
    if (!id)
        fail(column_, text(), "a uuid");
    return *id;
}

field row::operator[](std::size_t column) const {
    const std::string &name = home_->names_.at(column);
    const auto &cell = home_->cells_[index_ * home_->names_.size() + column];
    if (cell.null)
        return {name, std::nullopt};
    return {name, std::string_view(home_->text_).substr(cell.offset, cell.length)};
}

field row::operator[](std::string_view column) const {
    for (std::size_t i = 0; i < home_->names_.size(); ++i)
        if (home_->names_[i] == column)
            return (*this)[i];
    throw std::out_of_range("there is no column \"" + std::string(column) + "\"");
}

std::size_t row::size() const noexcept {
    return home_->columns();
}

row rows::operator[](std::size_t index) const {
    if (index >= count_)
        throw std::out_of_range("row " + std::to_string(index) + " of " + std::to_string(count_));
    return {*this, index};
}

} // namespace lockstep
