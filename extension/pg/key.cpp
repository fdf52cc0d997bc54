#include "pg/key.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"

#include <string_view>

namespace lockstep {

namespace {

// No btree page holds a longer key, however well it packs.
constexpr std::size_t most_key_bytes = std::size_t{1} << 20;
// What a number, a uuid or a time may be written with.
constexpr std::size_t most_literal_bytes = 1024;
constexpr std::size_t most_shown_bytes = 100;

bool is_string(Oid type) {
    return type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

// Whether the bytes of one type are good as the other's: the same, or strings both.
bool same_bytes(Oid given, Oid wanted) {
    const auto plain_string = [](Oid type) { return type == TEXTOID || type == VARCHAROID; };
    return given == wanted || (plain_string(given) && plain_string(wanted));
}

[[noreturn]] void too_long(const char *name, std::size_t bytes, std::size_t most) {
    throw sql_error(state::program_limit_exceeded,
                    std::string{name} + " is too long: " + std::to_string(bytes) + " bytes",
                    "At most " + std::to_string(most) + " bytes are taken.");
}

std::size_t variable_bytes(Datum value) {
    return pg_call([value] { return toast_raw_datum_size(value); }) - VARHDRSZ;
}

} // namespace

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
        getTypeInputInfo(oid, &type.input_function, &type.input_parameter);
        Oid output = InvalidOid;
        bool varlena = false;
        getTypeOutputInfo(oid, &output, &varlena);
        fmgr_info(operators.compare, &type.compare);
        fmgr_info(output, &type.output);

        HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operators.equals));
        if (!HeapTupleIsValid(tuple))
            elog(ERROR, "cache lookup failed for operator %u", operators.equals);
        auto *form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
        // Operator names need no quotes; schema names may.
        const char *schema = quote_identifier(get_namespace_name(form->oprnamespace));
        StringInfoData text;
        initStringInfo(&text);
        appendStringInfo(&text, "OPERATOR(%s.%s)", schema, NameStr(form->oprname));
        strlcpy(type.equals, text.data, sizeof(type.equals));
        pfree(text.data);
        ReleaseSysCache(tuple);
    });
    return type;
}

Datum key_argument(FunctionCallInfo fcinfo, int number, const char *name, const key_type &type) {
    Datum value = required_argument(fcinfo, number, name);
    const Oid declared = pg_call([=] { return get_fn_expr_argtype(fcinfo->flinfo, number); });
    const Oid given = pg_call([=] { return getBaseType(declared); });

    if (pg_call([=] { return get_typlen(given); }) == -1) {
        // Known before anything is unpacked: a gigabyte of text is refused by its size alone.
        const std::size_t bytes = variable_bytes(value);
        const bool may_be_long = same_bytes(given, type.type) || is_string(type.type);
        const std::size_t most = may_be_long ? most_key_bytes : most_literal_bytes;
        if (bytes > most)
            too_long(name, bytes, most);
    }
    if (same_bytes(given, type.type))
        return type.length == -1
                   ? pg_call([value] { return PointerGetDatum(PG_DETOAST_DATUM(value)); })
                   : value;

    const Oid input = type.input_function;
    const Oid parameter = type.input_parameter;
    return pg_call([=] {
        Oid output = InvalidOid;
        bool varlena = false;
        getTypeOutputInfo(given, &output, &varlena);
        return OidInputFunctionCall(input, OidOutputFunctionCall(output, value), parameter, -1);
    });
}

int compare_keys(const key_type &type, Datum a, Datum b) {
    // The look-up is ours alone; FunctionCall2Coll does not change it.
    auto *compare = const_cast<FmgrInfo *>(&type.compare);
    const Oid collation = type.collation;
    return DatumGetInt32(pg_call([=] { return FunctionCall2Coll(compare, collation, a, b); }));
}

std::string key_text(const key_type &type, Datum key) {
    auto *output = const_cast<FmgrInfo *>(&type.output);
    const char *text = pg_call([=] { return OutputFunctionCall(output, key); });
    std::string shown{text};
    if (shown.size() > most_shown_bytes) {
        const int whole = pg_call([text] {
            return pg_mbcliplen(text, static_cast<int>(strlen(text)),
                                static_cast<int>(most_shown_bytes));
        });
        shown.resize(static_cast<std::size_t>(whole));
        shown += "...";
    }
    return shown;
}

} // namespace lockstep
