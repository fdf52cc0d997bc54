#include "locking/named_values.hpp"

#include "core/sql_error.hpp"
#include "pg/kept_plans.hpp"
#include "pg/values.hpp"

namespace lockstep {

namespace {

struct name_list {
    char **names;
    std::size_t count;
};

inline namespace guarded {

name_list keys_of(Jsonb *object) {
    const auto room = static_cast<Size>(JB_ROOT_COUNT(object)) + 1;
    name_list list{static_cast<char **>(palloc(sizeof(char *) * room)), 0};
    JsonbIterator *at = JsonbIteratorInit(&object->root);
    JsonbValue value;
    bool nested = false;
    for (JsonbIteratorToken token = WJB_BEGIN_OBJECT; token != WJB_DONE;) {
        token = JsonbIteratorNext(&at, &value, nested);
        nested = true; // only the names of the object itself
        if (token == WJB_KEY)
            list.names[list.count++] = pnstrdup(value.val.string.val, value.val.string.len);
    }
    return list;
}

// Whether jsonb_to_record() makes such values of scalars by the type's input alone.
bool is_made_of_text(Oid type) {
    const char kind = get_typtype(type);
    return (kind == TYPTYPE_BASE || kind == TYPTYPE_ENUM) && type != JSONOID && type != JSONBOID &&
           !OidIsValid(get_element_type(type));
}

// What it hands to that input; null for what is no scalar.
char *input_of(const JsonbValue *value) {
    switch (value->type) {
    case jbvString: return pnstrdup(value->val.string.val, value->val.string.len);
    case jbvBool: return pstrdup(value->val.boolean ? "true" : "false");
    case jbvNumeric:
        return DatumGetCString(
            DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
    default: return nullptr;
    }
}

// False where it takes more than the type's input.
bool read_scalar(Jsonb *object, const char *name, Oid type, Datum *value, bool *is_null) {
    JsonbValue found;
    if (getKeyJsonValueFromContainer(&object->root, name, static_cast<int>(strlen(name)), &found) ==
        nullptr)
        return false;
    *is_null = found.type == jbvNull;
    if (*is_null)
        return true;
    char *text = is_made_of_text(type) ? input_of(&found) : nullptr;
    if (text == nullptr)
        return false;
    Oid function = InvalidOid;
    Oid parameter = InvalidOid;
    getTypeInputInfo(type, &function, &parameter);
    *value = OidInputFunctionCall(function, text, parameter, -1);
    return true;
}

} // namespace guarded

// Without a statement, which most values need not.
bool read_scalars(Datum object, const std::vector<column> &columns,
                  std::vector<std::optional<Datum>> &values) {
    Jsonb *json = pg_call([object] { return DatumGetJsonbP(object); });
    for (const column &one : columns) {
        Datum value{0};
        bool is_null = false;
        const column *const which = &one;
        if (!pg_call([=, &value, &is_null] {
                return read_scalar(json, which->name, which->type, &value, &is_null);
            }))
            return false;
        values.push_back(is_null ? std::nullopt : std::optional<Datum>{value});
    }
    return true;
}

std::string definition(const char *alias, const std::vector<column> &columns, bool as_declared) {
    std::string list;
    for (const column &one : columns)
        list += (list.empty() ? "" : ", ") + quoted(one.name) + " " +
                (as_declared ? type_name(one.declared_type, one.typmod) : type_name(one.type));
    return std::string{alias} + "(" + list + ")";
}

} // namespace

std::vector<column> columns_named_in(Datum object, Relation table, const char *argument) {
    Jsonb *json = pg_call([object] { return DatumGetJsonbP(object); });
    if (!JB_ROOT_IS_OBJECT(json))
        throw sql_error(state::invalid_parameter_value,
                        std::string{argument} + " is no json object", {},
                        "Give an object that has names of columns and their values.");
    const name_list list = pg_call([json] { return keys_of(json); });
    std::vector<column> columns;
    for (std::size_t i = 0; i < list.count; ++i) {
        const auto found = find_column(table, list.names[i]);
        if (!found)
            throw sql_error(state::undefined_column, "table \"" + shown_name(table) +
                                                         "\" has no column \"" + list.names[i] +
                                                         "\"");
        columns.push_back(*found);
    }
    return columns;
}

std::vector<std::optional<Datum>> values_in(Datum object, const std::vector<column> &columns) {
    std::vector<std::optional<Datum>> values;
    if (read_scalars(object, columns, values))
        return values;
    values.clear();
    const std::string sql =
        "SELECT * FROM pg_catalog.jsonb_to_record($1) AS " + definition("c", columns, false);
    spi_parameters parameters;
    parameters.add(object);
    std::vector<Oid> types{JSONBOID};
    // A null of each type, which is not read: another type may come to have the name.
    for (const column &one : columns) {
        types.push_back(one.type);
        parameters.add(std::optional<Datum>{});
    }
    execute_kept(sql, types, parameters);
    for (std::size_t i = 0; i < columns.size(); ++i)
        values.push_back(cell(0, static_cast<int>(i + 1)));
    return values;
}

std::string record_definition(const char *alias, const std::vector<column> &columns) {
    return definition(alias, columns, true);
}

} // namespace lockstep
