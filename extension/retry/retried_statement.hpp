// The work of CALL lockstep.retry: statements that the caller gives.
#pragma once

#include "retry/attempts.hpp"
#include "retry/bound_statement.hpp"

#include <optional>
#include <string>

namespace lockstep {

class retried_statement final : public retried_work {
  public:
    // The parameters must live on. What is returned is made in the memory context that is current
    // here. 42601 where the text is no SQL.
    retried_statement(const char *procedure, const std::string &sql,
                      const text_parameters &parameters);

    void attempt(int number) override;
    void undone() override;
    void committed() override { script_.trusted = true; }

    // Of the last statement, json; nothing where it returns none.
    [[nodiscard]] std::optional<Datum> rows() const { return rows_; }

  private:
    const char *procedure_;
    const text_parameters &parameters_;
    script &script_;
    MemoryContext outside_;
    std::optional<Datum> rows_;
};

} // namespace lockstep
