#include "retry/retried_statement.hpp"

namespace lockstep {

retried_statement::retried_statement(const char *procedure, const std::string &sql,
                                     const text_parameters &parameters)
    : procedure_(procedure), parameters_(parameters),
      script_(script_of(sql, static_cast<int>(parameters.size()))), outside_(CurrentMemoryContext) {
}

void retried_statement::attempt(int /*number*/) {
    run_statements(script_, procedure_, {}, parameters_);
    rows_ = rows_of_last_statement(outside_);
}

// Of an attempt that failed at the commit.
void retried_statement::undone() {
    if (rows_)
        pg_call([rows = *rows_] { pfree(DatumGetPointer(rows)); });
    rows_.reset();
}

} // namespace lockstep
