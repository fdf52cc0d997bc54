// Arrays as arguments, and as parameters of statements. One dimension, no nulls where they would
// say nothing: shapes are checked before anything is made of the elements.
#pragma once

#include "pg/boundary.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep {

// The elements of an array argument; of varying length they may still be packed.
struct array_elements {
    std::span<const Datum> values;
    std::span<const bool> nulls;
    Oid type; // of an element
};

// How many elements an array argument has, 0 where it is null. No element is read for it; the array
// is unpacked where it is compressed or stored elsewhere.
[[nodiscard]] std::size_t array_length(FunctionCallInfo fcinfo, int number);

// 22004 where the argument is null, 2202E where the array has more than one dimension. Lower bounds
// do not matter. `name` names the argument in messages.
[[nodiscard]] array_elements array_argument(FunctionCallInfo fcinfo, int number, const char *name);

// The same of an array that is no argument.
[[nodiscard]] array_elements array_elements_of(Datum value, const char *name);

// 22004 with the item where one of the elements is null.
void require_no_nulls(const array_elements &elements, const char *name);

// The elements of a name[] argument; none where it is null. 22004 where one of them is.
[[nodiscard]] std::vector<std::string> names_argument(FunctionCallInfo fcinfo, int number,
                                                      const char *name);

// An array of values of this type, null where there is none.
[[nodiscard]] Datum array_of(Oid type, std::span<const std::optional<Datum>> values);

} // namespace lockstep
