// lockstep.transfer_batch: many movements, netted in memory.
#include "ledger/ledger_cache.hpp"
#include "ledger/rights.hpp"
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

void require_length(const array_elements &elements, std::size_t length, const char *name) {
    if (elements.values.size() != length)
        throw sql_error(state::array_subscript_error, "arrays of a batch must have the same length",
                        std::string{"There are "} + std::to_string(length) + " from_keys and " +
                            std::to_string(elements.values.size()) + " " + name + ".");
}

// The request as the arrays have it.
struct batch_arrays {
    array_elements from;
    array_elements to;
    array_elements amounts;
    std::optional<array_elements> ids;

    [[nodiscard]] std::size_t size() const { return from.values.size(); }
};

batch_arrays arrays_of(FunctionCallInfo fcinfo) {
    for (int number = 1; number <= 4; ++number)
        require_batch_size(array_length(fcinfo, number));
    batch_arrays all{array_argument(fcinfo, 1, "from_keys"), array_argument(fcinfo, 2, "to_keys"),
                     array_argument(fcinfo, 3, "amounts"), std::nullopt};
    if (argument(fcinfo, 4))
        all.ids = array_argument(fcinfo, 4, "request_ids");
    require_length(all.to, all.size(), "to_keys");
    require_length(all.amounts, all.size(), "amounts");
    if (all.ids)
        require_length(*all.ids, all.size(), "request_ids");
    require_no_nulls(all.from, "from_keys");
    require_no_nulls(all.to, "to_keys");
    require_no_nulls(all.amounts, "amounts");
    return all;
}

call_vector<money> amounts_of(const array_elements &given, const ledger &target) {
    call_vector<money> amounts(given.values.size());
    try {
        read_numerics(given.values, "amount", amounts);
    } catch (const sql_error &) {
        // One of them: which? An amount before it may be mistaken in another way.
        for (std::size_t i = 0; i < amounts.size(); ++i)
            for_item(i, [&] {
                read_numerics(given.values.subspan(i, 1), "amount", {&amounts[i], 1});
                static_cast<void>(checked_amount(amounts[i], target.amount));
            });
    }
    for (std::size_t i = 0; i < amounts.size(); ++i)
        for_item(i, [&] { amounts[i] = checked_amount(amounts[i], target.amount); });
    return amounts;
}

call_vector<movement_request> requests_of(const batch_arrays &given, const ledger &target,
                                          bool atomic) {
    const call_vector<money> amounts = amounts_of(given.amounts, target);
    call_vector<movement_request> requests(given.size());
    List *const held = hold_keys(hold_keys(nullptr, given.from.values, given.from.type),
                                 given.to.values, given.to.type);
    for (std::size_t i = 0; i < requests.size(); ++i) {
        check_interrupts();
        const error_context context{"item of the batch", i + 1};
        for_item(i, [&] {
            movement_request &one = requests[i];
            one.from = key_from(given.from.values[i], given.from.type, "from_key", target.key);
            one.to = key_from(given.to.values[i], given.to.type, "to_key", target.key);
            one.amount = amounts[i];
            one.return_refusals = !atomic;
            if (given.ids && !given.ids->nulls[i])
                one.request_id = uuid_from_datum(given.ids->values[i]);
        });
    }
    pg_call([held] { release_types(held); });
    return requests;
}

// The few texts that all rows share, made once each.
class shared_texts {
  public:
    Datum of(const char *text) {
        for (const auto &[known, datum] : made_)
            if (known == text)
                return datum;
        return made_.emplace_back(text, text_datum(text)).second;
    }

  private:
    std::vector<std::pair<const char *, Datum>> made_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_transfer_batch) {
    using result_rows = row_builder<6>;
    result_rows::open_set(fcinfo);
    ledger_cache::use use;
    const call_memory memory;
    spi_session session;
    memory.enter();
    const Oid table = DatumGetObjectId(required_argument(fcinfo, 0, "ledger"));
    require_writing_allowed("lockstep.transfer_batch()");
    const ledger &known = use.open(table);
    check_rights(known);
    const bool atomic = DatumGetBool(required_argument(fcinfo, 5, "atomic"));
    const batch_arrays given = arrays_of(fcinfo);
    const auto requests = requests_of(given, known, atomic);
    const auto results = move_all(use.again(known), requests);
    use.close();

    shared_texts texts;
    result_rows row;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const movement_result &one = results[i];
        row.add(Int32GetDatum(static_cast<int32>(i + 1)));
        row.add(PointerGetDatum(one.request_id.data()));
        row.add(texts.of(text_of(one.status)));
        row.add(one.sqlstate == nullptr ? std::nullopt : std::optional{texts.of(one.sqlstate)});
        row.add(one.from_balance);
        row.add(one.to_balance);
        row.append(fcinfo);
    }
    session.finish();
    return Datum{0};
}
