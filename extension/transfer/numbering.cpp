#include "transfer/numbering.hpp"

namespace lockstep {

numbered_items number_items(const ledger &target, std::span<const movement_request> requests) {
    call_vector<Datum> keys;
    keys.reserve(2 * requests.size());
    for (const movement_request &one : requests)
        for (const auto &key : {one.from, one.to})
            if (key)
                keys.push_back(*key);
    const row_numbers numbers = number_keys_of(target.key, keys);

    numbered_items numbered;
    numbered.keys.reserve(numbers.place_of.size());
    for (const std::uint32_t place : numbers.place_of)
        numbered.keys.push_back(keys[place]);
    numbered.items.resize(requests.size());
    std::size_t place = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        batch_item &item = numbered.items[i];
        item.amount = requests[i].amount;
        item.expected_version = requests[i].expected_version;
        if (requests[i].from)
            item.from = numbers.of_place[place++];
        if (requests[i].to)
            item.to = numbers.of_place[place++];
    }
    return numbered;
}

row_names names_of(const ledger &target, std::span<const Datum> keys) {
    return [&target, keys](std::uint32_t row) { return row_text(target, keys[row]); };
}

sql_error same_row_error(const ledger &target, Datum key) {
    return {state::same_row,
            "from_key and to_key name the same row: \"" + key_text(target.key, key) + "\""};
}

} // namespace lockstep
