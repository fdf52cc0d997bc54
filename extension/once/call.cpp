#include "once/call.hpp"

#include "once/once.hpp"
#include "pg/digest.hpp"
#include "pg/memory.hpp"
#include "pg/values.hpp"

#include <utility>

namespace lockstep {

namespace {

std::span<const std::uint8_t> bytes_of(const std::string &text) {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

} // namespace

// Each parameter with its length before it, so that no two lists are written alike.
std::string call_fingerprint(const std::string &sql, const text_parameters &parameters) {
    std::string list;
    for (const auto &one : parameters)
        list += one ? std::to_string(one->size()) + ":" + *one + "," : "null,";
    list += ";";
    constexpr char digits[] = "0123456789abcdef";
    std::string text = "statement ";
    for (const std::uint8_t byte : sha1(bytes_of(list), bytes_of(sql))) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 0x0fU]);
    }
    return text;
}

once_call::once_call(const char *procedure, const request_key &key, std::string fingerprint,
                     const std::string &sql, const text_parameters &parameters)
    : procedure_(procedure), key_(key), parameters_(parameters),
      fingerprint_(std::move(fingerprint)),
      script_(script_of(sql, static_cast<int>(parameters.size()))), outside_(CurrentMemoryContext) {
}

void once_call::attempt(int /*number*/) {
    result_ = begin();
    replayed_ = result_.has_value();
    if (replayed_)
        return;
    run_statements(script_, procedure_, {}, parameters_);
    result_ = finish(rows_of_last_statement(CurrentMemoryContext));
}

// Of an attempt that failed at the commit.
void once_call::undone() {
    if (result_)
        pg_call([result = *result_] { pfree(DatumGetPointer(result)); });
    result_.reset();
    replayed_ = false;
}

void once_call::committed() {
    script_.trusted = script_.trusted || !replayed_;
}

std::optional<Datum> once_call::begin() {
    // At the levels that keep one snapshot it is then taken after the wait, and sees what was
    // waited for.
    await_request(key_);
    pg_call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
    std::optional<Datum> known;
    {
        const memory_scope scope{outside_};
        known = begin_request(key_, text_datum(fingerprint_.c_str()));
    }
    pg_call([] { PopActiveSnapshot(); });
    return known;
}

Datum once_call::finish(std::optional<Datum> rows) {
    const memory_scope scope{outside_};
    const Datum result = pg_call([rows] {
        const char *written = rows ? TextDatumGetCString(*rows) : "[]";
        return DirectFunctionCall1(jsonb_in, CStringGetDatum(written));
    });
    pg_call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
    finish_request(key_, result);
    pg_call([] { PopActiveSnapshot(); });
    return result;
}

} // namespace lockstep
