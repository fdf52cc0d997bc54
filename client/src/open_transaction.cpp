#include "open_transaction.hpp"

#include "call_loop.hpp"
#include "keyed_call.hpp"

#include <lockstep/native.hpp>

#include <stdexcept>

namespace lockstep {
namespace detail {

void open_transaction::run(const std::function<void(transaction &)> &callback) {
    transaction face(*this);
    try {
        const callback_scope inside;
        callback(face);
    } catch (const statement_error &) {
        on_.end_native();
        throw;
    } catch (...) {
        // Before anything else is sent: the handle still has the words of the failure.
        const auto failure = on_.failure_of(std::current_exception());
        on_.end_native();
        if (failure)
            throw statement_error(*failure);
        throw;
    }
    on_.end_native();
}

namespace {

template <class Result>
Result run_inside(const keyed_call<Result> &call, open_transaction &state) {
    state.on().prepare(call.name, call.text, state.deadline());
    return call.result(
        state.on().execute_prepared(call.name, call.parameters, state.deadline()).data, call.ids);
}

} // namespace
} // namespace detail

rows transaction::exec_with(std::string_view sql, std::span<const parameter> arguments) {
    return state_->on().execute(std::string(sql), arguments, state_->deadline()).data;
}

transfer_result transaction::transfer(const transfer_request &request) {
    return detail::run_inside(detail::keyed(request), *state_);
}

adjust_result transaction::adjust(const adjust_request &request) {
    return detail::run_inside(detail::keyed(request), *state_);
}

batch_result transaction::transfer_batch(const batch_request &request,
                                         std::span<const transfer_item> items) {
    if (items.empty())
        return {};
    return detail::run_inside(detail::keyed(request, items), *state_);
}

adjust_batch_result transaction::adjust_batch(const batch_request &request,
                                              std::span<const adjust_item> items) {
    if (items.empty())
        return {};
    return detail::run_inside(detail::keyed(request, items), *state_);
}

int transaction::attempt() const noexcept {
    return state_->attempt();
}

std::chrono::microseconds transaction::time_left() const {
    return detail::left_until(state_->deadline());
}

void transaction::after_commit(std::function<void()> hook) {
    if (!hook)
        throw std::invalid_argument("an empty hook");
    state_->after_commit(std::move(hook));
}

pqxx::transaction_base &LOCKSTEP_LIBPQXX::native(transaction &tx) {
    return detail::open_transaction::of(tx).on().native();
}

} // namespace lockstep
