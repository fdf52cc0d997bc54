#include "transfers/workload.hpp"

#include "core/request_id.hpp"

#include <algorithm>
#include <chrono>

namespace lockstep::bench {
namespace {

constexpr std::int64_t most_amount = 100;

std::array<std::uint8_t, 16> random_id(std::mt19937_64 &random) {
    std::array<std::uint8_t, 16> id{};
    for (std::size_t i = 0; i < id.size(); i += 8) {
        const auto bits = random();
        for (std::size_t j = 0; j < 8; ++j)
            id.at(i + j) = static_cast<std::uint8_t>(bits >> (8 * j));
    }
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0fU) | 0x40U);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3fU) | 0x80U);
    return id;
}

// As lockstep::request_id::make(), but without a system call for each.
std::array<std::uint8_t, 16> ascending_id(std::mt19937_64 &random) {
    using namespace std::chrono;
    const auto now = system_clock::now().time_since_epoch();
    const auto whole = duration_cast<milliseconds>(now);
    const auto fraction = duration_cast<nanoseconds>(now - whole).count() * 4096 / 1'000'000;
    std::array<std::uint8_t, 10> rest{static_cast<std::uint8_t>(fraction >> 8),
                                      static_cast<std::uint8_t>(fraction)};
    const auto bits = random();
    for (std::size_t i = 0; i < 8; ++i)
        rest.at(2 + i) = static_cast<std::uint8_t>(bits >> (8 * i));
    return uuid_version_7(static_cast<std::uint64_t>(whole.count()), rest);
}

// The n-th row is drawn in proportion to 1/n.
std::vector<double> zipf_shares(std::int64_t rows) {
    std::vector<double> shares;
    shares.reserve(static_cast<std::size_t>(rows));
    double sum = 0;
    for (std::int64_t row = 1; row <= rows; ++row)
        shares.push_back(sum += 1.0 / static_cast<double>(row));
    for (auto &each : shares)
        each /= sum;
    return shares;
}

} // namespace

std::string name_of(spread which) {
    switch (which) {
    case spread::uniform: return "uniform";
    case spread::zipf: return "zipf";
    case spread::hot_row: return "hot-row";
    }
    return "";
}

std::string name_of(id_kind which) {
    return which == id_kind::ascending ? "v7" : "v4";
}

keys::keys(spread which, std::int64_t rows) : which_(which), rows_(rows) {
    if (which == spread::zipf)
        share_up_to_ = zipf_shares(rows);
}

std::int64_t keys::one(std::mt19937_64 &random) const {
    if (which_ != spread::zipf)
        return std::uniform_int_distribution<std::int64_t>(1, rows_)(random);
    const auto drawn = std::uniform_real_distribution<double>(0, 1)(random);
    const auto place = std::lower_bound(share_up_to_.begin(), share_up_to_.end(), drawn);
    return std::min<std::int64_t>(place - share_up_to_.begin() + 1, rows_);
}

void keys::draw(std::mt19937_64 &random, wish &into) const {
    into.from = which_ == spread::hot_row ? 1 : one(random);
    do
        into.to = one(random);
    while (into.to == into.from);
    if (which_ == spread::hot_row && (random() & 1U) != 0)
        std::swap(into.from, into.to);
}

std::vector<wish> workload::next(std::size_t count) {
    std::vector<wish> wishes(count);
    for (auto &each : wishes) {
        keys_->draw(random_, each);
        each.amount = std::uniform_int_distribution<std::int64_t>(1, most_amount)(random_);
        each.id = ids_ == id_kind::ascending ? ascending_id(random_) : random_id(random_);
    }
    return wishes;
}

} // namespace lockstep::bench
