// A test module that does everything at the wall that may go wrong: each way to fail, with live C++
// objects on the way, from C++ into SQL and back.
#include "pg/boundary.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

#include "core/sql_error.hpp"

#include <csignal>
#include <malloc.h>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" {
LOCKSTEP_EXPORT extern const Pg_magic_struct *PG_MAGIC_FUNCTION_NAME(void);
LOCKSTEP_MODULE_MAGIC("lockstep_wall");
}

using namespace lockstep;

namespace {

int live_objects = 0;

// Counts itself, and owns memory, so that one that is skipped shows twice.
class counted {
  public:
    counted() : owned_(1000, 'x') { ++live_objects; }
    ~counted() { --live_objects; }
    counted(const counted &) = delete;
    counted &operator=(const counted &) = delete;

  private:
    std::string owned_;
};

struct odd_one {};

// Calls itself until the server says that it is enough; an object of C++ in every frame.
int deeper(int depth) {
    const counted here;
    pg_call([] { check_stack_depth(); });
    return depth < 0 ? 0 : deeper(depth + 1) + 1;
}

money amount_argument(FunctionCallInfo fcinfo, int number) {
    return money_from_numeric(required_argument(fcinfo, number, "amount"), "amount");
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_wall_throw) {
    const counted outside;
    const std::string kind = text_argument(fcinfo, 0, "kind", 1000);
    if (kind == "sql_error")
        throw sql_error(state::insufficient_funds, "the message", "The detail.", "The hint.");
    if (kind == "long")
        throw sql_error(state::invalid_amount, std::string(5000, 'm'), std::string(5000, 'd'));
    if (kind == "bad_alloc")
        throw std::bad_alloc{};
    if (kind == "too_large")
        std::vector<char>(std::size_t{1} << 60).front() = 'x';
    if (kind == "runtime_error")
        throw std::runtime_error("a runtime error");
    if (kind == "unknown")
        throw odd_one{};
    if (kind == "ereport")
        pg_call([] {
            ereport(ERROR, (errcode(ERRCODE_LOCK_NOT_AVAILABLE), errmsg("raised by the server"),
                            errdetail("With a detail."), errhint("And a hint.")));
        });
    PG_RETURN_VOID();
}

// Runs a statement and returns the first value of its first row.
LOCKSTEP_FUNCTION(lockstep_wall_sql) {
    const counted outside;
    const std::string statement = text_argument(fcinfo, 0, "statement", 100000);
    spi_session session;
    const counted inside;
    const uint64 rows = execute(statement);
    std::string first;
    if (rows > 0 && pg_call([] { return SPI_tuptable != nullptr; }))
        first = copied(
            pg_call([] { return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1); }));
    session.finish();
    return text_datum(first.c_str());
}

// Runs a statement that fails and says in which function of the server's source it did. A pg_error
// may be caught here because a subtransaction of our own is rolled back for it.
LOCKSTEP_FUNCTION(lockstep_wall_error_place) {
    const counted outside;
    const std::string statement = text_argument(fcinfo, 0, "statement", 100000);
    const MemoryContext context = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    pg_call([] { BeginInternalSubTransaction(nullptr); });
    std::string place = "no error";
    try {
        spi_session session;
        execute(statement);
        session.finish();
        pg_call([] { ReleaseCurrentSubTransaction(); });
    } catch (const pg_error &) {
        place = copied(pg_call([=] {
            MemoryContextSwitchTo(context);
            const ErrorData *error = CopyErrorData();
            FlushErrorState();
            RollbackAndReleaseCurrentSubTransaction();
            MemoryContextSwitchTo(context);
            return psprintf("%s, line known: %s", error->funcname,
                            error->lineno > 0 ? "yes" : "no");
        }));
    }
    MemoryContextSwitchTo(context);
    CurrentResourceOwner = owner;
    return text_datum(place.c_str());
}

// Never ends by itself. It may send itself what pg_cancel_backend sends.
LOCKSTEP_FUNCTION(lockstep_wall_loop) {
    const counted outside;
    if (PG_GETARG_BOOL(0))
        kill(MyProcPid, SIGINT);
    for (;;) {
        const counted inside;
        check_interrupts();
    }
}

LOCKSTEP_FUNCTION(lockstep_wall_recurse) {
    return Int32GetDatum(deeper(0));
}

LOCKSTEP_FUNCTION(lockstep_wall_live_objects) {
    return Int32GetDatum(live_objects);
}

// Whether an exception object was never released.
LOCKSTEP_FUNCTION(lockstep_wall_current_exception) {
    return BoolGetDatum(std::current_exception() != nullptr);
}

// Bytes that malloc has handed out and not got back: C++'s and the server's memory alike.
LOCKSTEP_FUNCTION(lockstep_wall_heap_bytes) {
    const auto heap = mallinfo2();
    return Int64GetDatum(static_cast<int64>(heap.uordblks + heap.hblkhd));
}

LOCKSTEP_FUNCTION(lockstep_wall_money_plus) {
    const auto sum = amount_argument(fcinfo, 0).plus(amount_argument(fcinfo, 1));
    if (!sum)
        PG_RETURN_NULL();
    return numeric_from_money(*sum);
}

LOCKSTEP_FUNCTION(lockstep_wall_money_compare) {
    const auto order = amount_argument(fcinfo, 0) <=> amount_argument(fcinfo, 1);
    return Int32GetDatum(
        static_cast<int>(order > 0) -
        static_cast<int>(
            order < 0)); // NOLINT(modernize-use-nullptr): the standard compares an order with 0
}

LOCKSTEP_FUNCTION(lockstep_wall_money_fits) {
    return BoolGetDatum(amount_argument(fcinfo, 0).fits(PG_GETARG_INT32(1), PG_GETARG_INT32(2)));
}

LOCKSTEP_FUNCTION(lockstep_wall_money_least_scale) {
    return Int32GetDatum(amount_argument(fcinfo, 0).least_scale());
}
