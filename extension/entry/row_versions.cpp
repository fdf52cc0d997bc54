// lockstep.row_versions: the tuple versions of one row.
#include "pg/arrays.hpp"
#include "pg/call_memory.hpp"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"
#include "pg/spi.hpp"
#include "row_versions/asked_table.hpp"
#include "row_versions/infomask.hpp"
#include "row_versions/needs.hpp"

using namespace lockstep;

namespace {

class version_rows {
  public:
    version_rows(FunctionCallInfo call, version_needs &needs) : call_(call), needs_(needs) {}

    void put(const row_version &one) {
        const auto [is_removable, why] = needs_.of(one);
        row_.add(int_or_null(one.number));
        row_.add(int_or_null(one.chain));
        row_.add(oid_or_null(one.found.table));
        row_.add(row_place_value(one.found.place));
        row_.add(text_or_null(line_word(one.found.line)));
        row_.add(row_place_value(one.found.next()));
        if (one.found.is_normal())
            add_version(one);
        else
            row_.add_nulls(14);
        row_.add(BoolGetDatum(is_removable));
        row_.add(text_or_null(why));
        row_.append(call_);
    }

  private:
    static const char *line_word(int line) {
        return line == LP_NORMAL ? "normal" : line == LP_REDIRECT ? "redirect" : "dead";
    }

    static column_value command_id(std::optional<CommandId> id) {
        return id ? column_value{CommandIdGetDatum(*id)} : column_value{};
    }

    static column_value members(const version_end &end) {
        if (!end.is_multi || end.is_forgotten)
            return {};
        std::vector<std::string> texts;
        for (const version_locker &one : end.members)
            texts.push_back(std::to_string(one.xid) + ' ' + strength_word(one.status) + ", " +
                            fate_word(one.now));
        return text_array_datum(texts);
    }

    void add_version(const row_version &one) {
        const HeapTupleHeaderData *const version = one.found.header();
        row_.add(TransactionIdGetDatum(HeapTupleHeaderGetRawXmin(version)));
        row_.add(text_or_null(fate_word(one.begun)));
        row_.add(command_id(one.cmin));
        row_.add(TransactionIdGetDatum(HeapTupleHeaderGetRawXmax(version)));
        row_.add(text_or_null(one.kind));
        row_.add(text_or_null(one.ended));
        row_.add(command_id(one.cmax));
        row_.add(members(one.end));
        row_.add(BoolGetDatum((version->t_infomask2 & HEAP_ONLY_TUPLE) != 0));
        row_.add(BoolGetDatum((version->t_infomask2 & HEAP_HOT_UPDATED) != 0));
        row_.add(text_array_datum(flag_names(version)));
        row_.add(text_or_null(flag_words(version)));
        row_.add(BoolGetDatum(one.found.is_visible));
        row_.add(text_or_null(one.why));
    }

    FunctionCallInfo call_;
    version_needs &needs_;
    row_builder<22> row_;
};

} // namespace

LOCKSTEP_FUNCTION(lockstep_row_versions) {
    row_builder<22>::open_set(fcinfo);
    const call_memory memory;
    spi_session session;
    memory.enter();
    const Oid relation = DatumGetObjectId(required_argument(fcinfo, 0, "relation"));
    const Datum given = required_argument(fcinfo, 1, "key");
    asked_table table{relation, names_argument(fcinfo, 2, "key_columns")};
    const Oid type = pg_call([=] { return get_fn_expr_argtype(fcinfo->flinfo, 1); });
    const Datum key = table.key_from(given, type);
    const Snapshot snapshot = pg_call([] { return GetActiveSnapshot(); });
    const auto history = history_of(table.versions_of(key, snapshot), snapshot);
    version_needs needs{table.relation()};
    version_rows rows{fcinfo, needs};
    for (const row_version &one : history)
        rows.put(one);
    needs.release();
    table.close();
    session.finish();
    return Datum{0};
}
