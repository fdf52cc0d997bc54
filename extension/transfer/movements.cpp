#include "transfer/movements.hpp"

#include "pg/values.hpp"
#include "transfer/numbering.hpp"

#include <utility>

namespace lockstep {

void take_ids(movements &all) {
    all.ids.resize(all.requests.size());
    std::size_t missing = 0;
    for (const movement_request &one : all.requests)
        missing += one.request_id ? 0 : 1;
    const auto made = new_request_ids(missing);
    std::size_t used = 0;
    for (std::size_t i = 0; i < all.requests.size(); ++i) {
        const auto &given = all.requests[i].request_id;
        all.ids[i] = given ? *given : made[used++];
    }
    all.by_id = sorted_by_id(all.ids);
    all.first = first_of_id(all.ids, all.by_id);
}

void number_keys(movements &all) {
    numbered_items numbered = number_items(all.target, all.requests);
    all.keys = std::move(numbered.keys);
    all.items = std::move(numbered.items);
}

void drop_unneeded_rows(movements &all) {
    call_vector<std::uint32_t> number(all.keys.size(), no_row);
    for (std::size_t i = 0; i < all.items.size(); ++i)
        if (all.is_pending(i))
            for (const std::uint32_t row : {all.items[i].from, all.items[i].to})
                if (row != no_row)
                    number[row] = 0;
    call_vector<Datum> needed;
    for (std::size_t row = 0; row < all.keys.size(); ++row)
        if (number[row] != no_row) {
            number[row] = static_cast<std::uint32_t>(needed.size());
            needed.push_back(all.keys[row]);
        }
    for (batch_item &one : all.items)
        for (std::uint32_t *row : {&one.from, &one.to})
            if (*row != no_row)
                *row = number[*row];
    all.keys = std::move(needed);
}

} // namespace lockstep
