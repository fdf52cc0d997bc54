#include "chunks/apply.hpp"

#include "chunks/named_run.hpp"
#include "chunks/progress.h"
#include "pg/caught.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"

#include <algorithm>

namespace lockstep {

namespace {

using std::chrono::microseconds;

constexpr std::size_t most_missing_keys = 10000;

// What other sessions can see of the call, while it lives.
class told_progress {
  public:
    explicit told_progress(Oid relation) {
        now_.relation = relation;
        now_.started_at = GetCurrentTimestamp();
        tell(CHUNK_SORTING);
    }
    ~told_progress() { lockstep_end_chunk_progress(); }
    told_progress(const told_progress &) = delete;
    told_progress &operator=(const told_progress &) = delete;

    void tell(chunk_phase phase) {
        now_.phase = phase;
        lockstep_tell_chunk_progress(&now_);
    }
    [[nodiscard]] chunk_progress &figures() { return now_; }

  private:
    chunk_progress now_{};
};

// One chunk.
class chunk_work final : public retried_work {
  public:
    chunk_work(const chunk_request &request, const sorted_keys &sorted, const named_run *run,
               std::size_t from, std::size_t to, told_progress &progress)
        : request_(request), sorted_(sorted), run_(run), from_(from), to_(to), progress_(progress),
          script_(script_of(request.statement,
                            sorted.columns + static_cast<int>(request.params.size()))) {}

    void attempt(int /*number*/) override {
        ++progress_.figures().attempts;
        progress_.tell(CHUNK_LOCKING);
        if (run_ != nullptr)
            run_->take(static_cast<std::int64_t>(from_));
        locked_chunk chunk = lock_chunk(request_.target, sorted_.keys, from_, to_);
        missing_ = std::move(chunk.missing);
        rows_ = 0;
        progress_.tell(CHUNK_RUNNING);
        if (chunk.locked > 0)
            rows_ =
                run_statements(script_, request_.terms.procedure, chunk.arrays, request_.params);
        if (run_ != nullptr)
            run_->advance(static_cast<std::int64_t>(to_ - from_), rows_, missing_.size());
    }
    void undone() override { progress_.tell(CHUNK_PAUSING); }
    void committed() override { script_.trusted = true; }

    [[nodiscard]] std::uint64_t rows() const { return rows_; }
    // By position in the list.
    [[nodiscard]] const std::vector<std::size_t> &missing() const { return missing_; }

  private:
    const chunk_request &request_;
    const sorted_keys &sorted_;
    const named_run *run_;
    std::size_t from_;
    std::size_t to_;
    told_progress &progress_;
    script &script_;
    std::uint64_t rows_ = 0;
    std::vector<std::size_t> missing_;
};

class opening_work final : public retried_work {
  public:
    opening_work(named_run &run, const run_content &content) : run_(run), content_(content) {}
    void attempt(int /*number*/) override { done_ = run_.open(content_); }
    [[nodiscard]] std::size_t done() const { return static_cast<std::size_t>(done_); }

  private:
    named_run &run_;
    const run_content &content_;
    std::int64_t done_ = 0;
};

// Cut at a whole character where it is long.
std::string shown(std::string_view key) {
    constexpr int most = 60;
    const char *first = key.data();
    const auto length = static_cast<int>(key.size());
    const int kept = pg_call([=] { return pg_mbcliplen(first, length, most); });
    return "\"" + std::string{key.substr(0, static_cast<std::size_t>(kept))} +
           (kept < length ? "...\"" : "\"");
}

class chunked_run {
  public:
    chunked_run(const chunk_request &request, const array_elements &given)
        : request_(request), progress_(request.target.table) {
        spi_session session;
        sorted_ = sort_keys(request.target, given);
        session.finish();
        if (request.resume) {
            run_.emplace(*request.resume);
            content_ =
                content_of(sorted_.relation, sorted_.keys, request_.statement, request_.params);
        }
        total_ = sorted_.keys.size();
        progress_.figures().keys_total = static_cast<std::int64_t>(total_);
        progress_.tell(CHUNK_SORTING);
        reported_at_ = GetCurrentTimestamp();
    }

    chunk_outcome run() {
        leave_transaction_of_call();
        if (run_)
            go_on();
        std::optional<sql_error> ours;
        try {
            while (done_ < total_)
                next_chunk();
            return std::move(outcome_);
        } catch (const sql_error &error) {
            ours = error;
        } catch (const pg_error &) {
            // The server's error is on its own stack.
        }
        if (ours)
            throw_on(*ours, how_far());
        throw_on(how_far());
    }

  private:
    void go_on() {
        opening_work opening{*run_, content_};
        retry_terms terms = request_.terms;
        terms.mode.isolation = isolation_level("read committed");
        terms.goes_on = true;
        static_cast<void>(run_with_retries(terms, opening));
        done_ = std::min(opening.done(), total_);
        outcome_.skipped = static_cast<std::int64_t>(done_);
        progress_.figures().keys_done = progress_.figures().keys_skipped = outcome_.skipped;
        const auto at = run_->finished_at();
        if (at && total_ > 0)
            tell_finished(*at);
    }

    void next_chunk() {
        // What was committed stays, and nothing is under way.
        check_interrupts();
        const std::size_t to = std::min(total_, done_ + request_.chunk_size);
        chunk_work work{request_, sorted_, run_ ? &*run_ : nullptr, done_, to, progress_};
        retry_terms terms = request_.terms;
        terms.goes_on = to < total_;
        const retry_outcome attempts = run_with_retries(terms, work);
        add_up(work, attempts.attempts, to);
        report();
    }

    void add_up(const chunk_work &work, int attempts, std::size_t to) {
        ++outcome_.chunks;
        outcome_.keys += static_cast<std::int64_t>(to - done_);
        outcome_.rows += static_cast<std::int64_t>(work.rows());
        outcome_.attempts += attempts;
        outcome_.missing += static_cast<std::int64_t>(work.missing().size());
        for (const std::size_t i : work.missing())
            if (outcome_.missing_keys.size() < most_missing_keys)
                outcome_.missing_keys.emplace_back(sorted_.keys[i]);
        done_ = to;
        chunk_progress &now = progress_.figures();
        now.keys_done = static_cast<std::int64_t>(done_);
        now.chunks = outcome_.chunks;
        now.rows = outcome_.rows;
        now.missing = outcome_.missing;
        progress_.tell(CHUNK_LOCKING);
    }

    void report() {
        if (!request_.report_every ||
            GetCurrentTimestamp() - reported_at_ < request_.report_every->count())
            return;
        reported_at_ = GetCurrentTimestamp();
        notice(std::string{request_.terms.procedure} + ": " + keys_done() + " (rows: " +
               std::to_string(outcome_.rows) + ", chunks: " + std::to_string(outcome_.chunks) +
               ", attempts: " + std::to_string(outcome_.attempts) + ")");
    }

    void tell_finished(TimestampTz at) const {
        // A time is written with the names of time zones, but not out of a catalog.
        notice("run \"" + *request_.resume + "\" came to its end at " + time_text(at) +
               ", nothing is left to do");
    }

    static void notice(const std::string &text) {
        const char *said = text.c_str();
        pg_call([said] { ereport(NOTICE, (errmsg_internal("%s", said))); });
    }

    [[nodiscard]] std::string keys_done() const {
        return std::to_string(done_) + " of " + std::to_string(total_) + " keys are done";
    }

    // Where an error has stopped it.
    [[nodiscard]] std::string how_far() const {
        std::string text =
            std::string{request_.terms.procedure} + ": " + keys_done() + " and committed";
        if (done_ == total_)
            return text;
        const std::size_t to = std::min(total_, done_ + request_.chunk_size);
        return text + "; keys " + std::to_string(done_ + 1) + " to " + std::to_string(to) +
               ", from " + shown(sorted_.keys[done_]) + " to " + shown(sorted_.keys[to - 1]) +
               ", come next";
    }

    const chunk_request &request_;
    told_progress progress_;
    sorted_keys sorted_;
    std::optional<named_run> run_;
    run_content content_{}; // of it
    std::size_t total_ = 0;
    std::size_t done_ = 0;
    chunk_outcome outcome_;
    TimestampTz reported_at_ = 0;
};

} // namespace

chunk_outcome apply_in_chunks(const chunk_request &request, const array_elements &keys) {
    return chunked_run(request, keys).run();
}

} // namespace lockstep
