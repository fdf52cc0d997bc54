// What is asked for: transfers between rows that are drawn from one of three distributions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace lockstep::bench {

enum class spread { uniform, zipf, hot_row };

// ascending: version 7, as the client makes them, so that ids of one time stand side by side in
// the journal's index; random: version 4.
enum class id_kind { ascending, random };

std::string name_of(spread which);
std::string name_of(id_kind which);

// One transfer that is wanted. Keys are 1 to the number of rows, and never equal.
struct wish {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::int64_t amount = 0;
    std::array<std::uint8_t, 16> id{};
};

// Where keys come from; one for all threads.
class keys {
  public:
    keys(spread which, std::int64_t rows);

    // Two different rows. Of the hot row every transfer takes or gives, by halves.
    void draw(std::mt19937_64 &random, wish &into) const;

  private:
    [[nodiscard]] std::int64_t one(std::mt19937_64 &random) const;

    spread which_;
    std::int64_t rows_;
    std::vector<double> share_up_to_; // zipf: of the rows up to each
};

// One thread's source of transfers.
class workload {
  public:
    workload(std::shared_ptr<const keys> from, id_kind ids, std::uint64_t seed)
        : keys_(std::move(from)), ids_(ids), random_(seed) {}

    std::vector<wish> next(std::size_t count);

  private:
    std::shared_ptr<const keys> keys_;
    id_kind ids_;
    std::mt19937_64 random_;
};

} // namespace lockstep::bench
