// Keys of any type with a btree order. A key is taken as the caller's driver sent it (another
// integer type, text from an untyped parameter) and made into the column's own type through the
// types' text form, never through casts: nothing is rounded, and no function of the caller's is
// called. Order and equality are the ones of the type's btree operator class, under the column's
// collation.
#pragma once

#include "pg/catalog.hpp"

#include "core/batch.hpp"

#include <optional>
#include <span>
#include <string>

namespace lockstep {

struct key_row;

// How keys of one ledger are read, compared and shown. Trivially destructible; the function
// look-ups in it live in the memory context that was current when it was made.
struct key_type {
    Oid type;
    Oid collation;
    uint32 type_hash; // of the type's entry in the server's cache, by which changes are told
    int16 length;
    bool by_value;
    Oid input_function;
    Oid input_parameter;
    FmgrInfo compare;
    FmgrInfo output;
    char equals[4 * NAMEDATALEN]; // OPERATOR(schema.=), as a statement may write it
    const key_row *row;           // of a key of several columns (pg/row_key); null for one
};

// How messages name a key that was given, or a column of it.
struct key_name {
    key_name(const char *given, const char *part = nullptr) : argument(given), column(part) {}
    const char *argument;
    const char *column;

    [[nodiscard]] std::string text() const;
};

// Makes it for a column. LS005 where the type has no btree order.
[[nodiscard]] key_type key_type_of(const column &key);

// Holds what rows without a type of their own are made of, until release_types(): while one key is
// read, code of the user's may run, and others are still to be read. Rows of a declared type have
// it held while each is read. Datum{0} is no key.
[[nodiscard]] List *hold_keys(List *held, std::span<const Datum> keys, Oid given);

// The argument as a key of the ledger. 22004 where it is null (`name` names it), 54000 where its
// text is too long to be a key, and the type's own errors (22P02, 22003) where it is none of its
// values. For a key of several columns: a row, its text, or a json object.
[[nodiscard]] Datum key_argument(FunctionCallInfo fcinfo, int number, const char *name,
                                 const key_type &type);

// The same for an element of an array argument, whose elements are of type `given`.
[[nodiscard]] Datum key_from(Datum value, Oid given, key_name name, const key_type &type);

// Numbers distinct keys in canonical order.
[[nodiscard]] row_numbers number_keys_of(const key_type &type, std::span<const Datum> keys);

// Less than, equal to or greater than zero, in the btree order.
[[nodiscard]] int compare_keys(const key_type &type, Datum a, Datum b);

// A value as people read it, by its type's output function; cut short where it is long.
[[nodiscard]] std::string shown_value(const FmgrInfo &output, Datum value);

// The key as people read it, cut short where it is long.
[[nodiscard]] std::string key_text(const key_type &type, Datum key);

} // namespace lockstep
