// An error that SQL will see: a SQLSTATE, a message, and optionally a detail and a hint. Plain C++,
// so that core/ can refuse bad input without knowing PostgreSQL; pg/boundary.cpp turns it into an
// ERROR.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace lockstep {

// Five characters of a SQLSTATE. The class LS is ours; the standard ones keep their meaning.
namespace state {
constexpr char insufficient_funds[] = "LS001";
constexpr char above_ceiling[] = "LS002";
constexpr char row_not_found[] = "LS003";
constexpr char row_frozen[] = "LS004";
constexpr char not_a_ledger[] = "LS005";
constexpr char same_row[] = "LS006";
constexpr char invalid_amount[] = "LS007";
constexpr char rows_do_not_match[] = "LS008";
constexpr char request_id_reused[] = "LS010";
constexpr char already_refused[] = "LS012";
constexpr char version_changed[] = "LS030";
constexpr char duplicate_request_in_batch[] = "LS040";
constexpr char lock_order[] = "LS050";
constexpr char nested_retry[] = "LS060";

constexpr char triggered_action_exception[] = "09000";
constexpr char triggered_data_change_violation[] = "27000";
constexpr char cardinality_violation[] = "21000";
constexpr char numeric_value_out_of_range[] = "22003";
constexpr char null_value_not_allowed[] = "22004";
constexpr char array_subscript_error[] = "2202E";
constexpr char invalid_text_representation[] = "22P02";
constexpr char invalid_parameter_value[] = "22023";
constexpr char active_sql_transaction[] = "25001";
constexpr char invalid_transaction_termination[] = "2D000";
constexpr char serialization_failure[] = "40001";
constexpr char insufficient_privilege[] = "42501";
constexpr char prerequisite_state[] = "55000";
constexpr char object_in_use[] = "55006";
constexpr char undefined_column[] = "42703";
constexpr char undefined_function[] = "42883";
constexpr char undefined_table[] = "42P01";
constexpr char invalid_column_reference[] = "42P10";
constexpr char lock_not_available[] = "55P03";
constexpr char query_canceled[] = "57014";
constexpr char datatype_mismatch[] = "42804";
constexpr char wrong_object_type[] = "42809";
constexpr char duplicate_table[] = "42P07";
constexpr char duplicate_object[] = "42710";
constexpr char program_limit_exceeded[] = "54000";
constexpr char feature_not_supported[] = "0A000";
constexpr char internal_error[] = "XX000";
} // namespace state

class sql_error : public std::exception {
  public:
    sql_error(const char *sqlstate, std::string message, std::string detail = {},
              std::string hint = {})
        : sqlstate_(sqlstate), message_(std::move(message)), detail_(std::move(detail)),
          hint_(std::move(hint)) {}

    [[nodiscard]] const char *sqlstate() const noexcept { return sqlstate_; }
    [[nodiscard]] const char *what() const noexcept override { return message_.c_str(); }
    [[nodiscard]] const std::string &detail() const noexcept { return detail_; }
    [[nodiscard]] const std::string &hint() const noexcept { return hint_; }

  private:
    const char *sqlstate_; // one of the constants above: static storage
    std::string message_;
    std::string detail_;
    std::string hint_;
};

} // namespace lockstep
