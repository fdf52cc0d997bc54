#include "pg/row_key.hpp"

#include "core/sql_error.hpp"
#include "pg/types_in_use.hpp"
#include "pg/values.hpp"

#include <array>
#include <cstring>

namespace lockstep {

namespace {

// The columns' values as they were given, in the order of the key.
struct given_values {
    std::array<Datum, INDEX_MAX_KEYS> values;
    std::array<bool, INDEX_MAX_KEYS> nulls;
    std::array<Oid, INDEX_MAX_KEYS> types;
};

bool is_text(Oid type) {
    return type == TEXTOID || type == VARCHAROID || type == BPCHAROID || type == NAMEOID;
}

std::string column_list(const key_row &row) {
    std::string list = "(";
    for (int i = 0; i < row.count; ++i)
        list += (i == 0 ? "" : ", ") + std::string{NameStr(row.names[i])};
    return list + ")";
}

// What a column of a json object is.
enum class json_kind { missing, null, text, other };

inline namespace guarded {

TupleDesc columns_of_texts(int count) {
    TupleDesc texts = CreateTemplateTupleDesc(count);
    for (int i = 1; i <= count; ++i)
        TupleDescInitEntry(texts, static_cast<AttrNumber>(i), nullptr, TEXTOID, -1, 0);
    version::finish_row_type(texts);
    return BlessTupleDesc(texts);
}

// The layout of the row type, with its own names, which a column that was renamed has no longer;
// without a look at the type itself, which may be locked.
TupleDesc columns_of_type(Oid type, const column *columns, int count) {
    const Oid relation = type == RECORDOID ? InvalidOid : get_typ_typrelid(type);
    TupleDesc made = CreateTemplateTupleDesc(count);
    for (int i = 0; i < count; ++i) {
        const auto number = static_cast<AttrNumber>(i + 1);
        const char *name =
            OidIsValid(relation) ? get_attname(relation, number, true) : columns[i].name;
        TupleDescInitEntry(made, number, name, columns[i].type, -1, 0);
        TupleDescInitEntryCollation(made, number, columns[i].collation);
    }
    version::finish_row_type(made);
    made->tdtypeid = type;
    made->tdtypmod = -1;
    return type == RECORDOID ? BlessTupleDesc(made) : made;
}

void read_text(const key_row &row, Datum value, Oid type, given_values &given) {
    Oid output = InvalidOid;
    bool is_varlena = false;
    getTypeOutputInfo(type, &output, &is_varlena);
    char *text = OidOutputFunctionCall(output, value);
    auto *read = const_cast<FmgrInfo *>(&row.read_texts);
    const Datum read_row = InputFunctionCall(read, text, RECORDOID, row.texts->tdtypmod);
    HeapTupleData tuple = tuple_in(DatumGetHeapTupleHeader(read_row));
    heap_deform_tuple(&tuple, row.texts, given.values.data(), given.nulls.data());
    for (int i = 0; i < row.count; ++i)
        given.types[static_cast<std::size_t>(i)] = TEXTOID;
}

// How many columns the row has; its values, as far as there is room for them.
int read_row(const key_row &row, Datum value, given_values &given) {
    const row_parts parts = take_apart(DatumGetHeapTupleHeader(value));
    int found = 0;
    for (int i = 0; i < parts.columns->natts; ++i) {
        const Form_pg_attribute one = TupleDescAttr(parts.columns, i);
        if (one->attisdropped)
            continue;
        if (found < row.count) {
            const auto to = static_cast<std::size_t>(found);
            given.values[to] = parts.values[i];
            given.nulls[to] = parts.nulls[i];
            given.types[to] = one->atttypid;
            // A literal in a row constructor has no type yet.
            if (one->atttypid == UNKNOWNOID && !parts.nulls[i]) {
                given.values[to] = CStringGetTextDatum(DatumGetCString(parts.values[i]));
                given.types[to] = TEXTOID;
            }
        }
        ++found;
    }
    release(parts);
    return found;
}

json_kind read_json_column(Jsonb *object, const char *name, Datum *text) {
    JsonbValue *value = getKeyJsonValueFromContainer(&object->root, name,
                                                     static_cast<int>(std::strlen(name)), nullptr);
    if (value == nullptr)
        return json_kind::missing;
    switch (value->type) {
    case jbvNull: return json_kind::null;
    case jbvString:
        *text =
            PointerGetDatum(cstring_to_text_with_len(value->val.string.val, value->val.string.len));
        return json_kind::text;
    case jbvNumeric:
        *text = CStringGetTextDatum(
            DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
        return json_kind::text;
    case jbvBool:
        *text = CStringGetTextDatum(value->val.boolean ? "true" : "false");
        return json_kind::text;
    default: return json_kind::other;
    }
}

Jsonb *json_of(Datum value, Oid type) {
    if (type == JSONOID)
        value = DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(value)));
    return DatumGetJsonbP(value);
}

} // namespace guarded

[[noreturn]] void refuse_object(const key_row &row, const char *argument, const std::string &why) {
    throw sql_error(state::invalid_parameter_value, std::string{argument} + " " + why,
                    "The key is " + column_list(row) + ".",
                    "Give an object with just these columns.");
}

void read_json(const key_row &row, Datum value, Oid type, const char *argument,
               given_values &given) {
    Jsonb *object = pg_call([=] { return json_of(value, type); });
    if (!JB_ROOT_IS_OBJECT(object))
        refuse_object(row, argument, "is no json object");
    for (int i = 0; i < row.count; ++i) {
        const auto to = static_cast<std::size_t>(i);
        const char *name = NameStr(row.names[i]);
        Datum *text = &given.values[to];
        const json_kind kind = pg_call([=] { return read_json_column(object, name, text); });
        if (kind == json_kind::missing)
            refuse_object(row, argument, std::string{"has no column \""} + name + "\"");
        if (kind == json_kind::other)
            refuse_object(row, argument,
                          std::string{"has neither a string, a number nor a boolean as column \""} +
                              name + "\"");
        given.types[to] = TEXTOID;
        given.nulls[to] = kind == json_kind::null;
    }
    if (JB_ROOT_COUNT(object) != static_cast<uint32>(row.count))
        refuse_object(row, argument, "has other columns too");
}

[[noreturn]] void refuse_type(const key_row &row, const std::string &why) {
    throw sql_error(state::datatype_mismatch, why, "The key is " + column_list(row) + ".",
                    "Give a row of these columns, its text, or a jsonb object.");
}

bool is_row(Oid type) {
    return pg_call([type] { return type_is_rowtype(type); });
}

Datum formed(const key_row &row, given_values &key) {
    const key_row *const how = &row;
    Datum *values = key.values.data();
    bool *nulls = key.nulls.data();
    return pg_call([=] {
        const TupleDesc columns = layout_of(*how);
        return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
    });
}

key_type row_key_type(Oid oid, std::span<const column> columns) {
    const auto count = static_cast<int>(columns.size());
    const column *first = columns.data();
    key_type type{};
    type.type = oid;
    type.length = -1;
    struct made_parts {
        key_row *row;
        key_type *parts;
        NameData *names;
    };
    const made_parts made = pg_call([=, &type] {
        type.type_hash = GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(oid));
        getTypeInputInfo(oid, &type.input_function, &type.input_parameter);
        fmgr_info(F_BTRECORDCMP, &type.compare);
        fmgr_info(F_RECORD_OUT, &type.output);
        strlcpy(type.equals, "OPERATOR(pg_catalog.=)", sizeof(type.equals));

        const auto many = static_cast<Size>(count);
        auto *row = static_cast<key_row *>(palloc0(sizeof(key_row)));
        row->count = count;
        row->relation = oid == RECORDOID ? InvalidOid : get_typ_typrelid(oid);
        row->columns = columns_of_type(oid, first, count);
        row->texts = columns_of_texts(count);
        fmgr_info(F_RECORD_IN, &row->read_texts);
        auto *parts = static_cast<key_type *>(palloc0(sizeof(key_type) * many));
        auto *names = static_cast<NameData *>(palloc0(sizeof(NameData) * many));
        row->parts = parts;
        row->names = names;
        return made_parts{row, parts, names};
    });
    for (std::size_t i = 0; i < columns.size(); ++i) {
        made.parts[i] = key_type_of(columns[i]);
        std::memcpy(NameStr(made.names[i]), columns[i].name, NAMEDATALEN);
    }
    type.row = made.row;
    return type;
}

} // namespace

key_type row_key_type_of(const column &whole, std::span<const column> columns) {
    return row_key_type(whole.type, columns);
}

key_type row_key_type_of(std::span<const column> columns) {
    key_type type = row_key_type(RECORDOID, columns);
    // All such types have one entry in the server's cache: their layouts tell them apart.
    type.type_hash = static_cast<uint32>(type.row->columns->tdtypmod);
    return type;
}

Datum row_key_from(Datum value, Oid given, const char *argument, const key_type &type) {
    const key_row &row = *type.row;
    given_values key{};
    given_values *const to = &key;
    const key_row *const how = &row;
    List *held = nullptr;
    if (is_text(given)) {
        pg_call([=] { read_text(*how, value, given, *to); });
    } else if (given == JSONBOID || given == JSONOID) {
        read_json(row, value, given, argument, key);
    } else if (is_row(given)) {
        // Code of a column's type may run before the next column is read. The key's own type is
        // held by whoever works with the ledger.
        if (given == RECORDOID || given != type.type)
            held = pg_call([=] { return hold_types_of(hold_types(NIL, given), value, given); });
        const int found = pg_call([=] { return read_row(*how, value, *to); });
        if (found != row.count)
            refuse_type(row, "number of columns of " + std::string{argument} + " is " +
                                 std::to_string(found) + ", and must be " +
                                 std::to_string(row.count));
    } else {
        refuse_type(row,
                    std::string{argument} + " is of type " + shown_type(given) + ", and no row");
    }
    for (int i = 0; i < row.count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const key_name name{argument, NameStr(row.names[i])};
        if (key.nulls[at])
            throw sql_error(state::null_value_not_allowed, name.text() + " must not be null");
        key.values[at] = key_from(key.values[at], key.types[at], name, row.parts[i]);
    }
    pg_call([held] { release_types(held); });
    return formed(row, key);
}

} // namespace lockstep
