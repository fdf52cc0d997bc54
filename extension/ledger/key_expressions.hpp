// The key in the text of a statement: a key of several columns goes in as one value, and is
// compared column by column, so that its index is looked into.
#pragma once

#include "ledger/ledger.hpp"

#include <span>
#include <string>

namespace lockstep {

// "key = $1", where the key is the row's of the table l and the parameter is one key.
[[nodiscard]] std::string key_equals_parameter(const key_type &type, std::span<const column> key);

// The same with a key from an array of them that is taken apart as `keys`.
[[nodiscard]] std::string key_equals_element(const key_type &type, std::span<const column> key,
                                             const std::string &keys);

// The same with the columns of the key one by one, numbered from 1 after the prefix: $1, $2.
[[nodiscard]] std::string key_equals_columns(const key_type &type, std::span<const column> key,
                                             const std::string &prefix);

// The columns that an array of keys is taken apart into: "key", or "key_1, key_2".
[[nodiscard]] std::string element_columns(const key_type &type, const std::string &key);

// An element of such an array as one key again; null where it is null.
[[nodiscard]] std::string element_as_key(const key_type &type, const std::string &key);

// The key of the table l as one value of the type that the journal keeps it in.
[[nodiscard]] std::string key_of_row(const key_type &type, std::span<const column> key);

// The type of an array of keys; InvalidOid where a statement cannot take it apart into keys: arrays
// have no arrays, and rows would be taken apart into columns that nobody knows.
[[nodiscard]] Oid array_of_keys(const key_type &type);

} // namespace lockstep
