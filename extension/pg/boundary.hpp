// The wall between C++ and PostgreSQL. There are two doors, one each way.
//
// pg_call(lambda) goes from C++ to PostgreSQL: an ERROR, which is a longjmp, becomes the C++
// exception pg_error, so that the destructors of everything outside the lambda run. The error
// itself stays on PostgreSQL's own stack, untouched: SQLSTATE, detail, hint and location survive.
//
// LOCKSTEP_FUNCTION(name) goes from PostgreSQL to C++: it makes the extern "C" entry point, runs
// the body, and turns every exception into an ERROR after the handler has been left (the exception
// object would otherwise never be released). A pg_error is simply thrown on as the error that it
// was. enter(body) does the same for C of ours that calls C++ outside of any statement. What else
// the server calls, of hooks and callbacks, is C wherever it stands: it has no objects with
// destructors, and throws nothing.
//
// Rules for the lambda, and for all that it calls, which stands in the namespace guarded: it is C.
// Locals and captures are trivially destructible, nothing in it throws, and what it returns is
// trivially destructible; a C++ object that lived between the sigsetjmp and the raising call would
// never be destroyed. scripts/check-guard checks it. A pg_error goes up to the entry. Who catches
// it before that throws it on, or rolls back the whole transaction or a subtransaction of his own
// for its sake (see caught.hpp): merely swallowed, it would leave locks, pins and SPI levels
// behind.
#pragma once

#include "pg/pg.hpp"
#include "pg/version.hpp"

#include <cstddef>
#include <type_traits>
#include <utility>

namespace lockstep {

// The token for "PostgreSQL has raised an ERROR"; it carries nothing.
class pg_error {};

namespace detail {

// Puts the server's error stacks back where they were, on return and on a throw.
class error_stack_guard {
  public:
    error_stack_guard() noexcept
        : exception_stack_(PG_exception_stack), context_stack_(error_context_stack) {}
    ~error_stack_guard() {
        PG_exception_stack = exception_stack_;
        error_context_stack = context_stack_;
    }
    error_stack_guard(const error_stack_guard &) = delete;
    error_stack_guard &operator=(const error_stack_guard &) = delete;

  private:
    sigjmp_buf *exception_stack_;
    ErrorContextCallback *context_stack_;
};

#ifdef USE_ASSERT_CHECKING
// How many light locks of the server's are held; a page's lock is one, too.
[[nodiscard]] int light_locks_held() noexcept;
#endif

} // namespace detail

// Calls into PostgreSQL. Costs a few nanoseconds: guard a phase, not each call.
template <class Body>
auto pg_call(Body &&body) -> std::invoke_result_t<Body &> {
    using result = std::invoke_result_t<Body &>;
    static_assert(std::is_void_v<result> || std::is_trivially_destructible_v<result>,
                  "what leaves the guard must be trivially destructible");
    static_assert(std::is_trivially_destructible_v<std::remove_reference_t<Body>>,
                  "capture by reference, or trivially destructible values");

    // These live outside the jump, in the frame that it lands in: their destructors do run.
    const detail::error_stack_guard restore_stacks;
    const MemoryContext context = CurrentMemoryContext;
#ifdef USE_ASSERT_CHECKING
    // An ERROR that was caught may have left some: they are let go of with the transaction.
    const int light_locks = detail::light_locks_held();
#endif

    sigjmp_buf landing;
    if (sigsetjmp(landing, 0) == 0) {
        PG_exception_stack = &landing;
        // Where C++ runs things throw, and while a light lock is held no cancel arrives.
        if constexpr (std::is_void_v<result>) {
            body();
            Assert(detail::light_locks_held() <= light_locks);
            return;
        } else {
            result made = body();
            Assert(detail::light_locks_held() <= light_locks);
            return made;
        }
    }
    // errfinish() left us in ErrorContext.
    MemoryContextSwitchTo(context);
    throw pg_error{};
}

// Adds a line to the CONTEXT of the errors that the server raises within the scope: "item of the
// batch: 3".
class error_context {
  public:
    error_context(const char *what, std::size_t number) noexcept;
    ~error_context() { error_context_stack = callback_.previous; }
    error_context(const error_context &) = delete;
    error_context &operator=(const error_context &) = delete;

  private:
    const char *what_;
    std::size_t number_;
    ErrorContextCallback callback_;

    static void tell(void *self);
};

// Lets a cancel or a timeout arrive inside a long C++ loop; costs a load where there is none.
inline void check_interrupts() {
    if (InterruptPending)
        pg_call([] { CHECK_FOR_INTERRUPTS(); });
}

// Refuses to write in a read-only transaction (25006) and, where somebody has labelled a caller
// PARALLEL SAFE, during a parallel operation (25000).
inline void require_writing_allowed(const char *function) {
    pg_call([function] {
        if (XactReadOnly)
            ereport(
                ERROR,
                (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                 errmsg("cannot execute %s in a read-only transaction", function),
                 errhint("It writes, although it looks like a read: send it to the primary, in a "
                         "transaction that is not read-only (docs/drivers.md).")));
        PreventCommandIfParallelMode(function);
    });
}

// Runs the body of an SQL function and turns whatever it throws into an ERROR.
Datum enter(FunctionCallInfo fcinfo, Datum (*body)(FunctionCallInfo));

// The same for a body that C code of ours calls, outside of any statement.
void enter(void (*body)());

} // namespace lockstep

// Opens the definition of the C++ body of an SQL function, and makes its C entry point. The body
// sees `fcinfo`, as in any function of the server's version 1 interface.
#define LOCKSTEP_FUNCTION(name)                                                                    \
    extern "C" {                                                                                   \
    LOCKSTEP_EXPORT Datum name(PG_FUNCTION_ARGS);                                                  \
    LOCKSTEP_EXPORT extern const Pg_finfo_record *pg_finfo_##name(void);                           \
    PG_FUNCTION_INFO_V1(name);                                                                     \
    }                                                                                              \
    static Datum name##_body(FunctionCallInfo fcinfo);                                             \
    Datum name(PG_FUNCTION_ARGS) {                                                                 \
        return ::lockstep::enter(fcinfo, name##_body);                                             \
    }                                                                                              \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
