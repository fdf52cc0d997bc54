#include "retry/bound_statement.hpp"

#include "core/sql_error.hpp"
#include "pg/types_in_use.hpp"
#include "retry/types_used.h"

#include <cstddef>

namespace lockstep {

namespace {

// The parser keeps its own state where a hook could keep ours, so the statement that is analysed is
// known here; functions in it have hooks of their own.
script_part *being_parsed = nullptr;
ParseParamRefHook resolve = nullptr; // the server's own

// The values come first, then the texts.
struct given_parameters {
    const bound_value *values;
    int value_count;
    const char *const *texts;
};

inline namespace guarded {

Node *resolve_parameter(ParseState *state, ParamRef *reference) {
    const int number = reference->number;
    if (number < 1 || number > being_parsed->type_count)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_PARAMETER), errmsg("there is no parameter $%d", number),
                 parser_errposition(state, reference->location)));
    being_parsed->used[number - 1] = true;
    return resolve(state, reference);
}

// Also when the server makes a plan anew: then the types are those that were found first.
void set_up_parser(ParseState *state, void *argument) {
    being_parsed = static_cast<script_part *>(argument);
    setup_parse_variable_parameters(state, &being_parsed->types, &being_parsed->type_count);
    resolve = state->p_paramref_hook;
    state->p_paramref_hook = resolve_parameter;
}

// Where something that the statement names has changed, the types of its parameters may have, too.
void prepare(script_part *part, const given_parameters &given) {
    if (part->plan != nullptr)
        SPI_freeplan(part->plan);
    part->plan = nullptr;
    for (int i = 0; i < part->type_count; ++i) {
        part->types[i] = i < given.value_count ? given.values[i].type : InvalidOid;
        part->used[i] = false;
    }
    SPIPrepareOptions options;
    memset(&options, 0, sizeof(options));
    options.parserSetup = set_up_parser;
    options.parserSetupArg = part;
    options.cursorOptions = CURSOR_OPT_PARALLEL_OK;
    SPIPlanPtr plan = SPI_prepare_extended(part->sql, &options);
    if (plan == nullptr)
        elog(ERROR, "SPI_prepare_extended failed: %s", SPI_result_code_string(SPI_result));
    SPI_keepplan(plan);
    part->plan = plan;
    part->settings = current_parse_settings();
    list_free(part->path);
    list_free_deep(part->types_used);
    part->path = part->types_used = nullptr;
    List *path = fetch_search_path(true);
    MemoryContext before = MemoryContextSwitchTo(GetMemoryChunkContext(part->types));
    part->path = list_copy(path);
    part->types_used = lockstep_types_used(plan);
    MemoryContextSwitchTo(before);
    list_free(path);
}

// Whether the plan is there, and means what the statement means now. By itself the server looks at
// names anew in another search path, but not at types, nor at constants.
bool is_prepared(const script_part *part, const given_parameters &given) {
    if (part->plan == nullptr || part->is_momentary || !SPI_plan_is_valid(part->plan) ||
        part->settings != current_parse_settings() ||
        !lockstep_types_are_the_same(part->types_used))
        return false;
    for (int i = 0; i < given.value_count; ++i)
        if (part->types[i] != given.values[i].type)
            return false;
    List *path = fetch_search_path(true);
    const bool same = equal(path, part->path);
    list_free(path);
    return same;
}

List *hold_parameter_types(const script_part *part) {
    List *held = nullptr;
    for (int i = 0; i < part->type_count; ++i)
        held = hold_types(held, part->types[i]);
    return held;
}

// The parameters that the statement uses, as values of its types.
ParamListInfo values_of(const script_part *part, const given_parameters &given) {
    ParamListInfo list = makeParamList(part->type_count);
    for (int i = 0; i < part->type_count; ++i) {
        ParamExternData &value = list->params[i];
        value.ptype = part->types[i];
        value.pflags = PARAM_FLAG_CONST;
        if (i < given.value_count) {
            value.isnull = false;
            value.value = given.values[i].value;
            continue;
        }
        const char *text = given.texts[i - given.value_count];
        value.isnull = text == nullptr;
        value.value = Datum{0};
        if (!OidIsValid(value.ptype))
            continue;
        Oid input = InvalidOid;
        Oid parameter = InvalidOid;
        getTypeInputInfo(value.ptype, &input, &parameter);
        // For no value too: a domain may refuse it.
        value.value = OidInputFunctionCall(input, const_cast<char *>(text), parameter, -1);
    }
    return list;
}

// What wrote its rows.
bool is_writing(int code) {
    switch (code) {
    case SPI_OK_INSERT:
    case SPI_OK_UPDATE:
    case SPI_OK_DELETE:
    case SPI_OK_MERGE:
    case SPI_OK_INSERT_RETURNING:
    case SPI_OK_UPDATE_RETURNING:
    case SPI_OK_DELETE_RETURNING: return true;
    default: return version::is_merge_returning(code);
    }
}

// Each statement after those before it. Rows are kept of the last one alone.
int run_all(script *wanted, const given_parameters &given, uint64 *written) {
    int code = 0;
    for (int i = 0; i < wanted->part_count; ++i) {
        script_part *part = &wanted->parts[i];
        SPI_freetuptable(SPI_tuptable);
        SPI_tuptable = nullptr;
        SPIExecuteOptions options;
        memset(&options, 0, sizeof(options));
        // Constants and values of domains may call functions that look at tables.
        if (part->needs_snapshot)
            PushActiveSnapshot(GetTransactionSnapshot());
        if (!is_prepared(part, given))
            prepare(part, given);
        List *held = hold_parameter_types(part);
        options.params = values_of(part, given);
        if (part->needs_snapshot)
            PopActiveSnapshot();
        code = SPI_execute_plan_extended(part->plan, &options);
        release_types(held);
        if (code < 0)
            break;
        if (is_writing(code))
            *written += SPI_processed;
    }
    return code;
}

// The types of the last statement's rows.
List *hold_result_types() {
    TupleDesc columns = SPI_tuptable->tupdesc;
    List *held = nullptr;
    for (int i = 0; i < columns->natts; ++i) {
        const Oid type = TupleDescAttr(columns, i)->atttypid;
        held = hold_types(held, type);
        if (type != RECORDOID && type != RECORDARRAYOID)
            continue;
        for (uint64 row = 0; row < SPI_processed; ++row) {
            CHECK_FOR_INTERRUPTS();
            bool is_null = true;
            const Datum value = heap_getattr(SPI_tuptable->vals[row], i + 1, columns, &is_null);
            if (!is_null)
                held = hold_types_of(held, value, type);
        }
    }
    return held;
}

// The last statement's rows as one JSON array. Casts to json may be functions of the user's.
Datum rows_as_json(MemoryContext outside) {
    TupleDesc columns = SPI_tuptable->tupdesc;
    StringInfoData all;
    List *held = hold_result_types();
    if (columns->tdtypeid == RECORDOID && columns->tdtypmod < 0)
        assign_record_type_typmod(columns);
    initStringInfo(&all);
    PushActiveSnapshot(GetTransactionSnapshot());
    MemoryContext for_row =
        AllocSetContextCreate(CurrentMemoryContext, "lockstep row", ALLOCSET_DEFAULT_SIZES);
    MemoryContext before = MemoryContextSwitchTo(for_row);
    for (uint64 i = 0; i < SPI_processed; ++i) {
        CHECK_FOR_INTERRUPTS();
        const Datum row = heap_copy_tuple_as_datum(SPI_tuptable->vals[i], columns);
        const Datum json = OidFunctionCall1(F_ROW_TO_JSON_RECORD, row);
        appendStringInfoString(&all, i == 0 ? "[" : ", ");
        appendStringInfoString(&all, TextDatumGetCString(json));
        MemoryContextReset(for_row);
    }
    PopActiveSnapshot();
    release_types(held);
    appendStringInfoString(&all, SPI_processed == 0 ? "[]" : "]");
    if (static_cast<Size>(all.len) > MaxAllocSize - VARHDRSZ)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("the rows of the last statement are too long for one value")));
    MemoryContextSwitchTo(outside);
    const Datum made = PointerGetDatum(cstring_to_text_with_len(all.data, all.len));
    MemoryContextSwitchTo(before);
    return made;
}

} // namespace guarded

[[noreturn]] void refuse(int code, const std::string &procedure) {
    if (code == SPI_ERROR_TRANSACTION)
        throw sql_error(state::invalid_transaction_termination,
                        "statement of " + procedure + " must not begin or end a transaction", {},
                        procedure + " begins and commits it; leave out BEGIN, COMMIT and the "
                                    "like.");
    if (code == SPI_ERROR_COPY)
        throw sql_error(state::feature_not_supported,
                        "COPY from or to the client is not possible in " + procedure);
    throw sql_error(state::internal_error,
                    std::string{"SPI: "} + pg_call([=] { return SPI_result_code_string(code); }));
}

// Whether any statement uses it.
bool is_used(const script &wanted, int parameter) {
    for (int i = 0; i < wanted.part_count; ++i)
        if (wanted.parts[i].used[parameter])
            return true;
    return false;
}

} // namespace

std::uint64_t run_statements(script &wanted, const char *procedure,
                             std::span<const bound_value> values, const text_parameters &texts) {
    Assert(static_cast<std::size_t>(wanted.parameter_count) == values.size() + texts.size());
    std::vector<const char *> all_texts;
    all_texts.reserve(texts.size() + 1);
    for (const auto &one : texts)
        all_texts.push_back(one ? one->c_str() : nullptr);
    const given_parameters given{values.data(), static_cast<int>(values.size()), all_texts.data()};
    script *all = &wanted;
    uint64 written = 0;
    const int code = pg_call([=, &written] { return run_all(all, given, &written); });
    if (code < 0)
        refuse(code, procedure);
    for (int i = 0; i < wanted.parameter_count; ++i)
        if (!is_used(wanted, i))
            throw sql_error(state::invalid_parameter_value,
                            "parameter $" + std::to_string(i + 1) + " is used by no statement");
    return written;
}

std::optional<Datum> rows_of_last_statement(MemoryContext outside) {
    if (SPI_tuptable == nullptr)
        return std::nullopt;
    return pg_call([outside] { return rows_as_json(outside); });
}

} // namespace lockstep
