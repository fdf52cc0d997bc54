#include "ledger/key_expressions.hpp"

#include "pg/row_key.hpp"

namespace lockstep {

namespace {

// A column of the table. A domain is compared as what it stands on, lest an operator made for the
// domain is chosen.
std::string of_table(const column &one) {
    const std::string name = "l." + quoted(one.name);
    return one.declared_type == one.type ? name : "(" + name + ")::" + type_name(one.type);
}

std::string field_name(const key_row &row, int number) {
    return quoted(NameStr(TupleDescAttr(row.columns, number)->attname));
}

// Each column of the key with what `other` gives for its number.
template <class Other>
std::string all_equal(const key_type &type, std::span<const column> key, Other other) {
    if (type.row == nullptr)
        return of_table(key.front()) + " " + type.equals + " " + other(-1);
    std::string text;
    for (int i = 0; i < type.row->count; ++i)
        text += (i == 0 ? "" : " AND ") + of_table(key[static_cast<std::size_t>(i)]) + " " +
                type.row->parts[i].equals + " " + other(i);
    return text;
}

} // namespace

std::string key_equals_parameter(const key_type &type, std::span<const column> key) {
    return all_equal(type, key, [&type](int number) {
        return number < 0 ? std::string{"$1"} : "($1)." + field_name(*type.row, number);
    });
}

std::string key_equals_element(const key_type &type, std::span<const column> key,
                               const std::string &keys) {
    return all_equal(type, key, [&keys](int number) {
        return keys + ".key" + (number < 0 ? "" : "_" + std::to_string(number + 1));
    });
}

std::string key_equals_columns(const key_type &type, std::span<const column> key,
                               const std::string &prefix) {
    return all_equal(type, key, [&prefix](int number) {
        return prefix + std::to_string(number < 0 ? 1 : number + 1);
    });
}

std::string element_columns(const key_type &type, const std::string &key) {
    if (type.row == nullptr)
        return key;
    std::string list;
    for (int i = 1; i <= type.row->count; ++i)
        list += (i == 1 ? "" : ", ") + key + "_" + std::to_string(i);
    return list;
}

std::string element_as_key(const key_type &type, const std::string &key) {
    if (type.row == nullptr)
        return key;
    // No column of a key is null; one that is a row itself may have nulls in it, and would not be
    // NOT NULL then.
    return "CASE WHEN " + key + "_1 IS DISTINCT FROM NULL THEN ROW(" + element_columns(type, key) +
           ")::" + type_name(type.type) + " END";
}

std::string key_of_row(const key_type &type, std::span<const column> key) {
    if (type.row == nullptr)
        return of_table(key.front());
    std::string list;
    for (const column &one : key)
        list += (list.empty() ? "" : ", ") + of_table(one);
    return "ROW(" + list + ")::" + type_name(type.type);
}

Oid array_of_keys(const key_type &type) {
    const Oid oid = type.type;
    const bool is_key_row = type.row != nullptr;
    return pg_call(
        [=] { return !is_key_row && type_is_rowtype(oid) ? InvalidOid : get_array_type(oid); });
}

} // namespace lockstep
