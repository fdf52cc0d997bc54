#include "pg/boundary.hpp"

#include "core/sql_error.hpp"

#include <cstring>
#include <exception>
#include <new>
#include <string_view>

namespace lockstep {

namespace {

// What is carried out of a catch block: trivially destructible, so that ereport may jump over it.
struct failure {
    bool rethrow;
    int sqlstate;
    char message[1024];
    char detail[2048];
    char hint[1024];
};

void copy_text(char *to, std::size_t size, std::string_view text) noexcept {
    const std::size_t length = text.size() < size ? text.size() : size - 1;
    std::memcpy(to, text.data(), length);
    to[length] = '\0';
}

int packed(const char *sqlstate) noexcept {
    return MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4]);
}

void describe(failure &failed, int sqlstate, std::string_view message) noexcept {
    failed.rethrow = false;
    failed.sqlstate = sqlstate;
    failed.detail[0] = failed.hint[0] = '\0';
    copy_text(failed.message, sizeof(failed.message), message);
}

// Cuts an over-long text at a whole character of the database's encoding.
const char *clipped(char *text, std::size_t size) {
    const int length = static_cast<int>(std::strlen(text));
    if (static_cast<std::size_t>(length) + 1 == size)
        text[pg_mbcliplen(text, length, length - 1)] = '\0';
    return text;
}

[[noreturn]] void raise(failure &failed) {
    if (failed.rethrow)
        PG_RE_THROW();
    ereport(
        ERROR,
        (errcode(failed.sqlstate),
         errmsg_internal("%s", clipped(failed.message, sizeof(failed.message))),
         failed.detail[0] != '\0'
             ? errdetail_internal("%s", clipped(failed.detail, sizeof(failed.detail)))
             : 0,
         failed.hint[0] != '\0' ? errhint("%s", clipped(failed.hint, sizeof(failed.hint))) : 0));
    pg_unreachable();
}

template <class Body>
auto run(Body &&body) {
    failure failed; // filled by whichever handler runs
    [[maybe_unused]] const sigjmp_buf *const entered_with = PG_exception_stack;
    try {
        const auto result = body();
        Assert(PG_exception_stack == entered_with);
        return result;
    } catch (const pg_error &) {
        failed.rethrow = true;
    } catch (const sql_error &error) {
        describe(failed, packed(error.sqlstate()), error.what());
        copy_text(failed.detail, sizeof(failed.detail), error.detail());
        copy_text(failed.hint, sizeof(failed.hint), error.hint());
    } catch (const std::bad_alloc &) {
        describe(failed, ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception &error) {
        describe(failed, ERRCODE_INTERNAL_ERROR, error.what());
    } catch (...) {
        describe(failed, ERRCODE_INTERNAL_ERROR, "lockstep: an exception of no known type");
    }
    raise(failed);
}

} // namespace

#ifdef USE_ASSERT_CHECKING
extern "C" {
static void lockstep_count_light_lock(LWLock *, LWLockMode, void *count) {
    ++*static_cast<int *>(count);
}
}

int detail::light_locks_held() noexcept {
    int count = 0;
    ForEachLWLockHeldByMe(lockstep_count_light_lock, &count);
    return count;
}
#endif

error_context::error_context(const char *what, std::size_t number) noexcept
    : what_(what), number_(number), callback_{error_context_stack, tell, this} {
    error_context_stack = &callback_;
}

void error_context::tell(void *self) {
    const auto *context = static_cast<const error_context *>(self);
    errcontext("%s: %zu", context->what_, context->number_);
}

Datum enter(FunctionCallInfo fcinfo, Datum (*body)(FunctionCallInfo)) {
    return run([=] { return body(fcinfo); });
}

void enter(void (*body)()) {
    run([=] {
        body();
        return true;
    });
}

} // namespace lockstep
