#include "retry/bound_statement.hpp"

#include "core/sql_error.hpp"

#include <cstddef>

namespace lockstep {

namespace {

// Everything below up to the next comment that says otherwise is C: the parser, the planner and the
// executor call it.

struct bound_value {
    const char *text; // null: no value
    Oid made_for;     // the type that `value` is of; InvalidOid: not made yet
    Datum value;
    bool used; // by any of the statements
};

struct bindings {
    bound_value *values;
    Oid *types; // as the statement that was analysed last uses them
    int count;
    int type_count;
    MemoryContext room;
    ParseParamRefHook resolve; // the server's own
};

// The parser calls this with its own state in the hook's place, so the bindings of the statement
// that is analysed are kept here; statements of functions have hooks of their own.
bindings *being_parsed = nullptr;

Node *resolve_parameter(ParseState *state, ParamRef *reference) {
    const int number = reference->number;
    if (number < 1 || number > being_parsed->count)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_PARAMETER), errmsg("there is no parameter $%d", number),
                 parser_errposition(state, reference->location)));
    being_parsed->values[number - 1].used = true;
    return being_parsed->resolve(state, reference);
}

void set_up_parser(ParseState *state, void *argument) {
    auto *bound = static_cast<bindings *>(argument);
    // A new statement: it finds its own types.
    for (int i = 0; i < bound->count; ++i)
        bound->types[i] = InvalidOid;
    bound->type_count = bound->count;
    setup_parse_variable_parameters(state, &bound->types, &bound->type_count);
    bound->resolve = state->p_paramref_hook;
    state->p_paramref_hook = resolve_parameter;
    being_parsed = bound;
}

void make_value(bound_value &bound, Oid type, MemoryContext room) {
    const MemoryContext before = MemoryContextSwitchTo(room);
    Oid input = InvalidOid;
    Oid parameter = InvalidOid;
    getTypeInputInfo(type, &input, &parameter);
    auto *text = const_cast<char *>(bound.text);
    bound.value = OidInputFunctionCall(input, text, parameter, -1);
    bound.made_for = type;
    MemoryContextSwitchTo(before);
}

ParamExternData *fetch_parameter(ParamListInfo list, int number, bool, ParamExternData *workspace) {
    auto *bound = static_cast<bindings *>(list->paramFetchArg);
    bound_value &wanted = bound->values[number - 1];
    const Oid type = bound->types[number - 1];
    workspace->isnull = wanted.text == nullptr;
    workspace->pflags = PARAM_FLAG_CONST;
    workspace->ptype = type;
    if (OidIsValid(type) && !workspace->isnull && wanted.made_for != type)
        make_value(wanted, type, bound->room);
    workspace->value = wanted.value;
    return workspace;
}

int execute_bound(const char *sql, bindings *bound) {
    ParamListInfo list = makeParamList(0);
    list->numParams = bound->count;
    list->paramFetch = fetch_parameter;
    list->paramFetchArg = bound;
    list->parserSetup = set_up_parser;
    list->parserSetupArg = bound;
    SPIExecuteOptions options;
    memset(&options, 0, sizeof(options));
    options.params = list;
    return SPI_execute_extended(sql, &options);
}

// The last statement's rows as one JSON array.
Datum rows_as_json(MemoryContext outside) {
    TupleDesc columns = SPI_tuptable->tupdesc;
    StringInfoData all;
    if (columns->tdtypeid == RECORDOID && columns->tdtypmod < 0)
        assign_record_type_typmod(columns);
    initStringInfo(&all);
    for (uint64 i = 0; i < SPI_processed; ++i) {
        CHECK_FOR_INTERRUPTS();
        const Datum row = heap_copy_tuple_as_datum(SPI_tuptable->vals[i], columns);
        const Datum json = OidFunctionCall1(F_ROW_TO_JSON_RECORD, row);
        appendStringInfoString(&all, i == 0 ? "[" : ", ");
        appendStringInfoString(&all, TextDatumGetCString(json));
    }
    appendStringInfoString(&all, SPI_processed == 0 ? "[]" : "]");
    const MemoryContext before = MemoryContextSwitchTo(outside);
    const Datum made = PointerGetDatum(cstring_to_text_with_len(all.data, all.len));
    MemoryContextSwitchTo(before);
    return made;
}

// C ends here.

[[noreturn]] void refuse(int code) {
    if (code == SPI_ERROR_TRANSACTION)
        throw sql_error(state::invalid_transaction_termination,
                        "statement of lockstep.retry must not begin or end a transaction", {},
                        "lockstep.retry begins and commits it; leave out BEGIN, COMMIT and the "
                        "like.");
    if (code == SPI_ERROR_COPY)
        throw sql_error(state::feature_not_supported,
                        "COPY from or to the client is not possible in lockstep.retry");
    throw sql_error(state::internal_error,
                    std::string{"SPI: "} + pg_call([=] { return SPI_result_code_string(code); }));
}

} // namespace

std::optional<Datum> run_statements(const std::string &sql, const text_parameters &parameters,
                                    MemoryContext outside) {
    const std::size_t count = parameters.size();
    bindings *bound = pg_call([count] {
        auto *made = static_cast<bindings *>(palloc0(sizeof(bindings)));
        made->values = static_cast<bound_value *>(palloc0(sizeof(bound_value) * (count + 1)));
        made->types = static_cast<Oid *>(palloc0(sizeof(Oid) * (count + 1)));
        made->count = static_cast<int>(count);
        made->room = CurrentMemoryContext;
        return made;
    });
    for (std::size_t i = 0; i < count; ++i)
        bound->values[i].text = parameters[i] ? parameters[i]->c_str() : nullptr;
    const char *text = sql.c_str();
    const int code = pg_call([=] { return execute_bound(text, bound); });
    if (code < 0)
        refuse(code);
    for (std::size_t i = 0; i < count; ++i)
        if (!bound->values[i].used)
            throw sql_error(state::invalid_parameter_value,
                            "parameter $" + std::to_string(i + 1) + " is used by no statement");
    if (SPI_tuptable == nullptr)
        return std::nullopt;
    return pg_call([outside] { return rows_as_json(outside); });
}

} // namespace lockstep
