#include "pg/values.hpp"

#include "core/sql_error.hpp"

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace lockstep {

namespace {

using id_noise = std::array<std::uint8_t, 10>;

// Random bytes for many ids at once: asking for them costs as much for 64 ids as for one, and was
// a fifteenth of a transfer. Each process has its own, for none is filled before the fork.
class noise_supply {
  public:
    id_noise take() {
        if (left_ == 0)
            refill();
        return std::exchange(supply_[--left_], {});
    }

  private:
    void refill() {
        if (!pg_strong_random(supply_.data(), sizeof(supply_)))
            throw sql_error(state::internal_error, "could not generate random values");
        left_ = supply_.size();
    }

    std::array<id_noise, 64> supply_{};
    std::size_t left_ = 0;
};

constinit noise_supply noise_of_ids;

} // namespace

std::optional<Datum> argument(FunctionCallInfo fcinfo, int number) {
    if (PG_ARGISNULL(number))
        return std::nullopt;
    return PG_GETARG_DATUM(number);
}

Datum required_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    if (PG_ARGISNULL(number))
        throw sql_error(state::null_value_not_allowed, std::string{name} + " must not be null");
    return PG_GETARG_DATUM(number);
}

std::string text_argument(FunctionCallInfo fcinfo, int number, const char *name,
                          std::size_t most_bytes) {
    const Datum value = required_argument(fcinfo, number, name);
    // The size is known before anything is fetched or unpacked.
    const Size bytes = pg_call([value] { return toast_raw_datum_size(value); }) - VARHDRSZ;
    if (bytes > most_bytes)
        throw sql_error(state::program_limit_exceeded,
                        std::string{name} + " is too long: " + std::to_string(bytes) + " bytes",
                        "At most " + std::to_string(most_bytes) + " bytes are taken.");
    return copied(pg_call([value] { return TextDatumGetCString(value); }));
}

std::string name_argument(FunctionCallInfo fcinfo, int number) {
    if (PG_ARGISNULL(number))
        return {};
    return NameStr(*DatumGetName(PG_GETARG_DATUM(number)));
}

money money_from_numeric(Datum numeric, const char *what) {
    const char *text =
        pg_call([numeric] { return DatumGetCString(DirectFunctionCall1(numeric_out, numeric)); });
    if (const auto amount = money::parse(text))
        return *amount;
    throw sql_error(state::invalid_amount,
                    std::string{what} + " must be a finite number: \"" + text + "\"");
}

Datum numeric_from_money(const money &amount) {
    const std::string text = amount.to_string();
    const char *digits = text.c_str();
    return pg_call([digits] {
        return DirectFunctionCall3(numeric_in, CStringGetDatum(digits),
                                   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    });
}

uuid_bytes new_request_id() {
    return new_request_ids(1).front();
}

call_vector<uuid_bytes> new_request_ids(std::size_t count) {
    if (count == 0)
        return {};
    // The server counts microseconds from 2000-01-01; a UUID counts milliseconds from 1970-01-01.
    constexpr std::int64_t epoch_us =
        std::int64_t{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * USECS_PER_DAY;
    const auto unix_ms = static_cast<std::uint64_t>((GetCurrentTimestamp() + epoch_us) / 1000);
    call_vector<uuid_bytes> ids;
    ids.reserve(count);
    while (ids.size() < count)
        ids.push_back(uuid_version_7(unix_ms, noise_of_ids.take()));
    return ids;
}

uuid_bytes uuid_from_datum(Datum uuid) {
    uuid_bytes id{};
    static_assert(id.size() == UUID_LEN);
    std::memcpy(id.data(), DatumGetUUIDP(uuid)->data, id.size());
    return id;
}

Datum datum_from_uuid(const uuid_bytes &id) {
    const auto *bytes = id.data();
    return pg_call([bytes] {
        auto *uuid = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
        std::memcpy(uuid->data, bytes, sizeof(uuid->data));
        return UUIDPGetDatum(uuid);
    });
}

std::string text_of(Datum value) {
    return copied(pg_call([value] { return TextDatumGetCString(value); }));
}

Datum text_datum(const char *text) {
    return pg_call([text] { return CStringGetTextDatum(text); });
}

std::optional<Datum> text_or_null(const std::optional<std::string> &text) {
    if (!text)
        return std::nullopt;
    return text_datum(text->c_str());
}

Datum interval_datum(std::int64_t microseconds) {
    return pg_call([microseconds] {
        auto *length = static_cast<Interval *>(palloc0(sizeof(Interval)));
        length->time = microseconds;
        return IntervalPGetDatum(length);
    });
}

std::string time_text(TimestampTz at) {
    return copied(pg_call([at] { return pstrdup(timestamptz_to_str(at)); }));
}

Datum days_datum(std::int64_t microseconds) {
    return pg_call([microseconds] {
        auto *length = static_cast<Interval *>(palloc0(sizeof(Interval)));
        length->day = static_cast<int32>(microseconds / USECS_PER_DAY);
        length->time = microseconds % USECS_PER_DAY / USECS_PER_MINUTE * USECS_PER_MINUTE;
        return IntervalPGetDatum(length);
    });
}

Datum text_array_datum(const std::vector<std::string> &texts) {
    std::vector<const char *> plain;
    plain.reserve(texts.size());
    for (const std::string &one : texts)
        plain.push_back(one.c_str());
    const char *const *first = plain.data();
    const int count = static_cast<int>(plain.size());
    return pg_call([=] {
        auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * static_cast<Size>(count + 1)));
        for (int i = 0; i < count; ++i)
            values[i] = CStringGetTextDatum(first[i]);
        return PointerGetDatum(construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT));
    });
}

} // namespace lockstep
