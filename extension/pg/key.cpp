#include "pg/key.hpp"

#include "core/sql_error.hpp"
#include "pg/row_key.hpp"
#include "pg/types_in_use.hpp"
#include "pg/values.hpp"

namespace lockstep {

namespace {

// No btree page holds a longer key, however well it packs.
constexpr std::size_t most_key_bytes = std::size_t{1} << 20;
// What a number, a uuid or a time may be written with.
constexpr std::size_t most_literal_bytes = 1024;
// What a longer value, a bytea or an array, may be written with.
constexpr std::size_t most_written_bytes = std::size_t{1} << 16;
constexpr std::size_t most_shown_bytes = 100;

bool is_string(Oid type) {
    return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

// Whether the bytes of one type are good as the other's: the same, or strings both.
bool same_bytes(Oid given, Oid wanted) {
    const auto plain_string = [](Oid type) { return type == TEXTOID || type == VARCHAROID; };
    return given == wanted || (plain_string(given) && plain_string(wanted));
}

bool is_integer(Oid type) {
    return type == INT2OID || type == INT4OID;
}

// How long a key of that type may come.
std::size_t most_bytes(Oid given, const key_type &type) {
    if (same_bytes(given, type.type) || is_string(type.type) || type.row != nullptr)
        return most_key_bytes;
    return type.length == -1 ? most_written_bytes : most_literal_bytes;
}

[[noreturn]] void too_long(key_name name, std::size_t bytes, std::size_t most) {
    throw sql_error(state::program_limit_exceeded,
                    name.text() + " is too long: " + std::to_string(bytes) + " bytes",
                    "At most " + std::to_string(most) + " bytes are taken.");
}

// Cut at a whole character where it is too long for a message.
std::string clipped_text(std::string shown) {
    if (shown.size() <= most_shown_bytes)
        return shown;
    const char *first = shown.c_str();
    const int length = static_cast<int>(shown.size());
    shown.resize(static_cast<std::size_t>(
        pg_call([=] { return pg_mbcliplen(first, length, static_cast<int>(most_shown_bytes)); })));
    return shown + "...";
}

const char *text_of(Oid type, Datum value) {
    return pg_call([=] {
        Oid output = InvalidOid;
        bool is_varlena = false;
        getTypeOutputInfo(type, &output, &is_varlena);
        return OidOutputFunctionCall(output, value);
    });
}

std::size_t variable_bytes(Datum value) {
    return pg_call([value] { return toast_raw_datum_size(value); }) - VARHDRSZ;
}

// Whether the text says the same in the given type as the value that it came from.
bool says_the_same(Oid given, Datum value, const char *text) {
    return pg_call([=] {
        Oid input = InvalidOid;
        Oid parameter = InvalidOid;
        getTypeInputInfo(given, &input, &parameter);
        const Datum back = OidInputFunctionCall(input, const_cast<char *>(text), parameter, -1);
        TypeCacheEntry *entry = lookup_type_cache(given, TYPECACHE_EQ_OPR_FINFO);
        return !OidIsValid(entry->eq_opr) ||
               DatumGetBool(
                   FunctionCall2Coll(&entry->eq_opr_finfo, entry->typcollation, back, value));
    });
}

void require_type(Oid type) {
    if (!pg_call([type] { return SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type)); }))
        throw sql_error(state::object_in_use, "the type of a key was dropped while it was read");
}

// A key of another type, by way of its text. What the column's type would cut or round names
// another row, and is refused.
Datum converted(Datum value, Oid given, key_name name, const key_type &type) {
    // A domain's check may change the row type that the value is made of: not while it is read.
    List *const held = pg_call(
        [=] { return hold_types_of(hold_types(hold_types(NIL, given), type.type), value, given); });
    std::string text = text_of(given, value);
    if (given == BPCHAROID)
        text.erase(text.find_last_not_of(' ') + 1); // padding is no part of it
    const char *written = text.c_str();
    const Oid input = type.input_function;
    const Oid parameter = type.input_parameter;
    const Datum key = pg_call(
        [=] { return OidInputFunctionCall(input, const_cast<char *>(written), parameter, -1); });
    // Code of the user's may have run, of a domain, and have dropped the types themselves.
    require_type(given);
    require_type(type.type);
    const char *read = text_of(type.type, key);
    // A text may be written in many ways, 1.0 and 01 and 1; but name and "char" cut theirs.
    const bool cuts = type.type == NAMEOID || type.type == CHAROID;
    const bool same = is_string(given) ? !cuts || text == read : says_the_same(given, value, read);
    if (!same)
        throw sql_error(state::invalid_text_representation,
                        name.text() + " is no value of type " + shown_type(type.type) + ": " +
                            clipped_text(text),
                        std::string{"The nearest value is "} + clipped_text(read) + ".");
    pg_call([held] { release_types(held); });
    return key;
}

} // namespace

std::string key_name::text() const {
    if (column == nullptr)
        return argument;
    return std::string{"column \""} + column + "\" of " + argument;
}

key_type key_type_of(const column &key) {
    key_type type{};
    type.type = key.type;
    type.collation = key.collation;
    const Oid oid = key.type;

    struct found {
        Oid compare;
        Oid equals;
    };
    const auto operators = pg_call([oid] {
        const TypeCacheEntry *entry = lookup_type_cache(oid, TYPECACHE_CMP_PROC | TYPECACHE_EQ_OPR);
        return found{entry->cmp_proc, entry->eq_opr};
    });
    if (!OidIsValid(operators.compare) || !OidIsValid(operators.equals))
        throw sql_error(state::not_a_ledger,
                        "type " + shown_type(oid) + " of key column \"" + key.name +
                            "\" has no btree order",
                        {}, "A key column needs a type with a default btree operator class.");

    pg_call([&type, oid, operators] {
        get_typlenbyval(oid, &type.length, &type.by_value);
        type.type_hash = GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(oid));
        getTypeInputInfo(oid, &type.input_function, &type.input_parameter);
        Oid output = InvalidOid;
        bool is_varlena = false;
        getTypeOutputInfo(oid, &output, &is_varlena);
        fmgr_info(operators.compare, &type.compare);
        fmgr_info(output, &type.output);
    });
    strlcpy(type.equals, operator_name(operators.equals).c_str(), sizeof(type.equals));
    return type;
}

List *hold_keys(List *held, std::span<const Datum> keys, Oid given) {
    if (given != RECORDOID)
        return held;
    const Datum *first = keys.data();
    const std::size_t count = keys.size();
    return pg_call([=] { return hold_types_of_all(held, first, count, RECORDOID); });
}

Datum key_argument(FunctionCallInfo fcinfo, int number, const char *name, const key_type &type) {
    const Datum value = required_argument(fcinfo, number, name);
    const Oid declared = pg_call([=] { return get_fn_expr_argtype(fcinfo->flinfo, number); });
    return key_from(value, declared, name, type);
}

Datum key_from(Datum value, Oid declared, key_name name, const key_type &type) {
    if (declared == type.type && type.by_value)
        return value;
    // It may have been a domain that the code of the key before has dropped.
    require_type(declared);
    const Oid given = pg_call([=] { return getBaseType(declared); });
    if (pg_call([=] { return get_typlen(given); }) == -1) {
        // Known before anything is unpacked: a gigabyte of text is refused by its size alone.
        const std::size_t bytes = variable_bytes(value);
        const std::size_t most = most_bytes(given, type);
        if (bytes > most)
            too_long(name, bytes, most);
    }
    if (type.row != nullptr)
        return row_key_from(value, given, name.argument, type);
    if (same_bytes(given, type.type))
        return type.length == -1
                   ? pg_call([value] { return PointerGetDatum(PG_DETOAST_DATUM(value)); })
                   : value;
    if (is_integer(given) && type.type == INT8OID)
        return Int64GetDatum(given == INT4OID ? DatumGetInt32(value) : DatumGetInt16(value));
    return converted(value, given, name, type);
}

std::string shown_value(const FmgrInfo &output, Datum value) {
    // The look-up is ours alone.
    auto *function = const_cast<FmgrInfo *>(&output);
    return clipped_text(pg_call([=] { return OutputFunctionCall(function, value); }));
}

std::string key_text(const key_type &type, Datum key) {
    return shown_value(type.output, key);
}

} // namespace lockstep
