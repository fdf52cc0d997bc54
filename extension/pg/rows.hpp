// Results: one composite value, or the rows of a set.
#pragma once

#include "pg/boundary.hpp"
#include "pg/columns_read.hpp"
#include "pg/memory.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <optional>

namespace lockstep {

inline namespace guarded {

inline void require_columns(TupleDesc columns, std::size_t count) {
    if (columns->natts != static_cast<int>(count))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the lockstep module and its SQL objects differ in version"),
                        errhint("Run ALTER EXTENSION lockstep UPDATE.")));
}

} // namespace guarded

// The fields of one row, in order.
template <std::size_t Fields>
class row_builder {
  public:
    void add(std::optional<Datum> value) {
        Assert(count_ < Fields);
        values_[count_] = value.value_or(Datum{0});
        nulls_[count_++] = !value.has_value();
    }
    // The same of a value that costs something: it is made only where the statement reads it.
    template <std::invocable Make>
    void add(Make make) {
        if (!passes_unread(1))
            add(make());
    }
    // Passes over the next columns, where the statement reads none of them; whether it did.
    bool passes_unread(std::size_t columns) {
        const auto *const next = read_.data() + count_;
        if (std::find(next, next + columns, true) != next + columns)
            return false;
        add_nulls(columns);
        return true;
    }
    void add_nulls(std::size_t columns) {
        while (columns-- > 0)
            nulls_[count_++] = true;
    }

    // The row as the composite type that the function is declared to return.
    [[nodiscard]] Datum composite(FunctionCallInfo fcinfo) {
        return composite(fcinfo, CurrentMemoryContext);
    }

    // The same, made where it outlives the current memory context.
    [[nodiscard]] Datum composite(FunctionCallInfo fcinfo, MemoryContext outside) {
        const memory_scope scope{outside};
        return composite(columns_of(fcinfo));
    }

    // The columns of that type, for a function that will have no catalogs to look them up in.
    [[nodiscard]] static TupleDesc columns_of(FunctionCallInfo fcinfo) {
        return pg_call([=] {
            TupleDesc columns = nullptr;
            if (get_call_result_type(fcinfo, nullptr, &columns) != TYPEFUNC_COMPOSITE)
                elog(ERROR, "return type must be a row type");
            require_columns(columns, Fields);
            return BlessTupleDesc(columns);
        });
    }
    [[nodiscard]] Datum composite(TupleDesc columns) {
        Assert(count_ == Fields);
        auto *values = values_.data();
        auto *nulls = nulls_.data();
        return pg_call([=] { return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls)); });
    }

    // The row as the next one of the set that open_set() has opened; the builder is empty again.
    void append(FunctionCallInfo fcinfo) {
        Assert(count_ == Fields);
        // An unread column takes no room in the set, whatever it is.
        for (std::size_t i = 0; i < Fields; ++i)
            nulls_[i] = nulls_[i] || !read_[i];
        auto *values = values_.data();
        auto *nulls = nulls_.data();
        const auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
        pg_call([=] { tuplestore_putvalues(result->setResult, result->setDesc, values, nulls); });
        count_ = 0;
    }

    // Makes the function's result a set of such rows. A row of one column is a value to the server,
    // and no row type: what the set looks like is known to the caller alone.
    static void open_set(FunctionCallInfo fcinfo) {
        constexpr uint32 how = Fields == 1 ? MAT_SRF_USE_EXPECTED_DESC : 0;
        pg_call([=] {
            InitMaterializedSRF(fcinfo, how);
            require_columns(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo)->setDesc, Fields);
        });
    }

    // The same for a set of many or wide rows: what the statement does not read is left out.
    void open_pruned_set(FunctionCallInfo fcinfo) {
        open_set(fcinfo);
        mark_columns_read(fcinfo, read_);
    }

  private:
    static constexpr std::array<bool, Fields> all() {
        std::array<bool, Fields> columns{};
        columns.fill(true);
        return columns;
    }

    std::array<Datum, Fields> values_{};
    std::array<bool, Fields> nulls_{};
    std::array<bool, Fields> read_ = all();
    std::size_t count_ = 0;
};

} // namespace lockstep
