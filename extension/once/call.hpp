// The work of CALL lockstep.once: once_begin, statements and once_finish in the transaction of each
// attempt.
#pragma once

#include "once/held_requests.hpp"
#include "retry/attempts.hpp"
#include "retry/bound_statement.hpp"

#include <optional>
#include <string>

namespace lockstep {

// What the fingerprint of such a call is made of. Within a transaction.
[[nodiscard]] std::string call_fingerprint(const std::string &sql,
                                           const text_parameters &parameters);

class once_call final : public retried_work {
  public:
    // By the role of the caller, whatever role the statements set. The parameters must live on.
    // What is returned is made in the memory context that is current here. 42601 where the text is
    // no SQL.
    once_call(const char *procedure, const request_key &key, std::string fingerprint,
              const std::string &sql, const text_parameters &parameters);

    void attempt(int number) override;
    void undone() override;
    void committed() override;

    // The stored result, jsonb: the rows of the last statement, an empty array where it returns
    // none.
    [[nodiscard]] std::optional<Datum> result() const { return result_; }
    // Whether it is that of an earlier call.
    [[nodiscard]] bool is_replayed() const noexcept { return replayed_; }

  private:
    std::optional<Datum> begin();
    Datum finish(std::optional<Datum> rows);

    const char *procedure_;
    request_key key_;
    const text_parameters &parameters_;
    std::string fingerprint_;
    script &script_;
    MemoryContext outside_;
    std::optional<Datum> result_;
    bool replayed_ = false;
};

} // namespace lockstep
