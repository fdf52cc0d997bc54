// lockstep.transfer_batch and lockstep.adjust_batch: many movements, netted in memory.
#include "entry/movement_arguments.hpp"
#include "pg/arrays.hpp"
#include "pg/call_memory.hpp"
#include "pg/numerics.hpp"
#include "pg/rows.hpp"
#include "pg/spi.hpp"
#include "pg/types_in_use.hpp"
#include "pg/values.hpp"
#include "transfer/batch.hpp"

#include "core/batch.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace lockstep;

namespace {

// An array of the request, by the name that its argument has.
struct named_array {
    const char *name;
    std::optional<array_elements> elements; // nothing where none was given

    [[nodiscard]] std::size_t size() const { return elements->values.size(); }
    [[nodiscard]] std::optional<Datum> at(std::size_t item) const {
        if (!elements || elements->nulls[item])
            return std::nullopt;
        return elements->values[item];
    }
};

named_array required_array(FunctionCallInfo fcinfo, int number, const char *name) {
    return {name, array_argument(fcinfo, number, name)};
}

named_array optional_array(FunctionCallInfo fcinfo, int number, const char *name) {
    if (!argument(fcinfo, number))
        return {name, std::nullopt};
    return required_array(fcinfo, number, name);
}

void require_length_of(const named_array &first, const named_array &other) {
    if (other.elements && other.size() != first.size())
        throw sql_error(state::array_subscript_error, "arrays of a batch must have the same length",
                        "There are " + std::to_string(first.size()) + " " + first.name + " and " +
                            std::to_string(other.size()) + " " + other.name + ".");
}

// What the items of both functions have beside keys and amounts.
struct common_arguments {
    bool atomic;
    named_array ids;
    named_array memos;

    void add_to(movement_request &one, std::size_t item) const {
        one.return_refusals = !atomic;
        if (const auto id = ids.at(item))
            one.request_id = uuid_from_datum(*id);
        one.memo = memos.at(item);
    }
};

// The amounts, each made by `checked` into what its column keeps.
template <class Check>
call_vector<money> amounts_of(const array_elements &given, const char *name, Check checked) {
    call_vector<money> amounts(given.values.size());
    try {
        read_numerics(given.values, name, amounts);
    } catch (const sql_error &) {
        // One of them: which? An amount before it may be mistaken in another way.
        for (std::size_t i = 0; i < amounts.size(); ++i)
            for_item(i, [&] {
                read_numerics(given.values.subspan(i, 1), name, {&amounts[i], 1});
                static_cast<void>(checked(amounts[i]));
            });
    }
    for (std::size_t i = 0; i < amounts.size(); ++i)
        for_item(i, [&] { amounts[i] = checked(amounts[i]); });
    return amounts;
}

List *hold_keys_of(List *held, const named_array &keys) {
    return hold_keys(held, keys.elements->values, keys.elements->type);
}

// Fills each request by its position, while the row types of the keys are held.
template <class Fill>
call_vector<movement_request> requests_of(std::size_t count, List *held, Fill fill) {
    call_vector<movement_request> requests(count);
    for (std::size_t i = 0; i < count; ++i) {
        check_interrupts();
        const error_context context{"item of the batch", i + 1};
        for_item(i, [&] { fill(requests[i], i); });
    }
    pg_call([held] { release_types(held); });
    return requests;
}

// The few texts that all rows share, made once each.
class shared_texts {
  public:
    std::optional<Datum> of(const char *text) {
        if (text == nullptr)
            return std::nullopt;
        for (const auto &[known, datum] : made_)
            if (known == text)
                return datum;
        return made_.emplace_back(text, text_datum(text)).second;
    }

  private:
    std::vector<std::pair<const char *, Datum>> made_;
};

// One row an item, in the order of the request; `add_balances` adds what the functions tell apart.
template <class Row, class Balances>
void answer(FunctionCallInfo fcinfo, std::span<const movement_result> results,
            Balances add_balances) {
    shared_texts texts;
    Row row;
    for (std::size_t i = 0; i < results.size(); ++i) {
        row.add(Int32GetDatum(static_cast<int32>(i + 1)));
        row.add(PointerGetDatum(results[i].request_id.data()));
        row.add(texts.of(text_of(results[i].status)));
        row.add(texts.of(results[i].sqlstate));
        add_balances(row, i);
        row.append(fcinfo);
    }
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_transfer_batch) {
    using result_rows = row_builder<6>;
    result_rows::open_set(fcinfo);
    ledger_cache::use use;
    const call_memory memory;
    spi_session session;
    memory.enter();
    const ledger &known = ledger_argument(use, fcinfo, "lockstep.transfer_batch()");
    const bool atomic = DatumGetBool(required_argument(fcinfo, 5, "atomic"));
    for (const int number : {1, 2, 3, 4, 6})
        require_batch_size(array_length(fcinfo, number));
    const named_array from = required_array(fcinfo, 1, "from_keys");
    const named_array to = required_array(fcinfo, 2, "to_keys");
    const named_array amounts = required_array(fcinfo, 3, "amounts");
    const common_arguments common{atomic, optional_array(fcinfo, 4, "request_ids"),
                                  optional_array(fcinfo, 6, "memos")};
    for (const named_array *other : {&to, &amounts, &common.ids, &common.memos})
        require_length_of(from, *other);
    for (std::size_t i = 0; i < from.size(); ++i)
        if (!from.at(i) && !to.at(i))
            throw of_item(
                {state::null_value_not_allowed, "from_key and to_key must not both be null"}, i);
    require_no_nulls(*amounts.elements, "amounts");

    const auto checked = amounts_of(*amounts.elements, "amount", [&known](const money &amount) {
        return checked_amount(amount, known.amount);
    });
    const auto requests =
        requests_of(from.size(), hold_keys_of(hold_keys_of(nullptr, from), to),
                    [&](movement_request &one, std::size_t i) {
                        if (const auto key = from.at(i))
                            one.from = key_from(*key, from.elements->type, "from_key", known.key);
                        if (const auto key = to.at(i))
                            one.to = key_from(*key, to.elements->type, "to_key", known.key);
                        one.amount = checked[i];
                        common.add_to(one, i);
                    });
    const auto results = move_all(use.again(known), requests);
    use.close();

    answer<result_rows>(fcinfo, results, [&results](result_rows &row, std::size_t i) {
        row.add(results[i].from_balance);
        row.add(results[i].to_balance);
    });
    session.finish();
    return Datum{0};
}

LOCKSTEP_FUNCTION(lockstep_adjust_batch) {
    using result_rows = row_builder<5>;
    result_rows::open_set(fcinfo);
    ledger_cache::use use;
    const call_memory memory;
    spi_session session;
    memory.enter();
    const ledger &known = ledger_argument(use, fcinfo, "lockstep.adjust_batch()");
    const bool atomic = DatumGetBool(required_argument(fcinfo, 4, "atomic"));
    for (const int number : {1, 2, 3, 5})
        require_batch_size(array_length(fcinfo, number));
    const named_array keys = required_array(fcinfo, 1, "keys");
    const named_array deltas = required_array(fcinfo, 2, "deltas");
    const common_arguments common{atomic, optional_array(fcinfo, 3, "request_ids"),
                                  optional_array(fcinfo, 5, "memos")};
    for (const named_array *other : {&deltas, &common.ids, &common.memos})
        require_length_of(keys, *other);
    for (const named_array *one : {&keys, &deltas})
        require_no_nulls(*one->elements, one->name);

    const auto checked = amounts_of(*deltas.elements, "delta", [&known](const money &delta) {
        return checked_delta(delta, known.amount);
    });
    const auto requests = requests_of(
        keys.size(), hold_keys_of(nullptr, keys), [&](movement_request &one, std::size_t i) {
            const bool takes = checked[i].is_negative();
            (takes ? one.from : one.to) =
                key_from(*keys.at(i), keys.elements->type, "key", known.key);
            one.amount = takes ? checked[i].negated() : checked[i];
            common.add_to(one, i);
        });
    const auto results = move_all(use.again(known), requests);
    use.close();

    answer<result_rows>(fcinfo, results, [&](result_rows &row, std::size_t i) {
        row.add(requests[i].from ? results[i].from_balance : results[i].to_balance);
    });
    session.finish();
    return Datum{0};
}
