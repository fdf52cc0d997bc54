#include "submit/submit.hpp"

#include "ledger/ledger_counters.h"
#include "ledger/rights.hpp"
#include "pg/call_memory.hpp"
#include "pg/caught.hpp"
#include "pg/fault.hpp"
#include "pg/memory.hpp"
#include "pg/spi.hpp"
#include "pg/values.hpp"
#include "retry/deadline.hpp"
#include "retry/transaction.hpp"
#include "submit/packing.hpp"
#include "submit/queue.h"
#include "transfer/batch.hpp"
#include "transfer/group.hpp"

#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace lockstep {

namespace {

// A call that is in the queue comes out of it with the scope. Who leads in a transaction comes out
// with that: those who wait must not come to rows that are not free yet.
class place_in_queue {
  public:
    place_in_queue() = default;
    ~place_in_queue() { lockstep_submit_abandon(); }
    place_in_queue(const place_in_queue &) = delete;
    place_in_queue &operator=(const place_in_queue &) = delete;
};

// Work with a ledger in the current transaction: what an SQL function of ours finds where it is
// called, and what it needs.
class ledger_work {
  public:
    ledger_work() {
        memory_.enter();
        has_snapshot_ = ActiveSnapshotSet(); // that of the CALL, in its own transaction
        if (!has_snapshot_)
            pg_call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
    }
    ledger_work(const ledger_work &) = delete;
    ledger_work &operator=(const ledger_work &) = delete;
    ~ledger_work() = default;

    [[nodiscard]] ledger_cache::use &use() { return use_; }

    // Not called on an error.
    void finish() {
        use_.close();
        if (!has_snapshot_)
            pg_call([] { PopActiveSnapshot(); });
        session_.finish();
    }

  private:
    ledger_cache::use use_;
    const call_memory memory_;
    spi_session session_;
    bool has_snapshot_;
};

// What one caller gets out of a transaction. `waits`: out of his first one, where it is for others
// to go on.
enum class outcome { done, to_be_done, waits };

class submission {
  public:
    explicit submission(const request_reader &read) : read_(read), outside_(CurrentMemoryContext) {}

    submitted run() {
        const place_in_queue place;
        begin();
        outcome now = first_transaction();
        if (now == outcome::waits)
            now = wait();
        if (now == outcome::to_be_done)
            by_itself();
        // It is done: whoever wants to stop it now is too late, and must not hear that he did.
        forget_cancel();
        pg_call([this] { lockstep_count_submit(ledger_, done_.group_size, why_alone_); });
        return done_;
    }

  private:
    // Submitted calls share a transaction, and so its level.
    static void begin() {
        if (!pg_call([] { return IsolationUsesXactSnapshot(); }))
            return;
        pg_call([] {
            ereport(NOTICE,
                    (errmsg("lockstep.submit works at READ COMMITTED"),
                     errdetail("default_transaction_isolation is \"%s\".",
                               GetConfigOption("default_transaction_isolation", false, false))));
        });
        leave_transaction_of_call();
        begin_read_committed();
    }

    // Reads the request, and does it where nobody is in its way.
    outcome first_transaction() {
        const bool may_wait = lockstep_has_submit_queue() && !lockstep_holds_session_locks();
        why_alone_ = SUBMIT_ALONE_UNSERVED;
        outcome own = outcome::done;
        {
            ledger_work work;
            read_request asked = read_(work.use());
            if (!asked.request.request_id)
                asked.request.request_id = new_request_id();
            id_ = *asked.request.request_id;
            ledger_ = asked.target->table;
            const submit_turn turn =
                may_wait ? join(*asked.target, asked.request) : SUBMIT_QUEUE_FULL;
            if (turn == SUBMIT_LEADS) {
                own = lead_alone(*asked.target, asked.request);
            } else if (turn == SUBMIT_QUEUE_FULL) {
                keep(move_one(*asked.target, asked.request), 1);
            } else {
                own = outcome::waits;
                reach(fault_point::submit_joined);
            }
            work.finish();
        }
        if (own == outcome::waits)
            leave_transaction_of_call();
        else if (own == outcome::done)
            commit_transaction();
        else
            abandon_transaction();
        return own;
    }

    submit_turn join(const ledger &target, const movement_request &request) {
        if (!serves_groups(target))
            return SUBMIT_QUEUE_FULL;
        call_ = std::make_unique<submit_call>();
        why_alone_ = SUBMIT_ALONE_TOO_LARGE;
        if (!pack(*call_, target, request))
            return SUBMIT_QUEUE_FULL;
        const submit_call *call = call_.get();
        const submit_turn turn = pg_call([call] { return lockstep_submit_join(call); });
        why_alone_ = turn == SUBMIT_QUEUE_FULL ? SUBMIT_ALONE_QUEUE_FULL : SUBMIT_MET_NOBODY;
        return turn;
    }

    // Nobody else in the queue wants these rows. An outsider may have one of them, or be booking
    // the id: he is waited for in another transaction, which has no row out of order, and nobody in
    // the queue waits for that one.
    outcome lead_alone(const ledger &target, const movement_request &request) {
        auto answers = move_group(target, {&request, 1});
        group_answer &answer = answers.front();
        if (answer.error)
            throw sql_error{*answer.error};
        if (answer.result.status == movement_status::left) {
            why_alone_ = SUBMIT_ALONE_BUSY;
            return outcome::to_be_done;
        }
        keep(answer.result, 1);
        return outcome::done;
    }

    // Until another one has done it, or this session leads.
    outcome wait() {
        const auto told = std::make_unique<submit_answer>();
        submit_answer *const to = told.get();
        reach(fault_point::submit_waits);
        if (!pg_call([to] { return lockstep_submit_wait(to); }))
            return lead();
        reach(fault_point::submit_told);
        switch (told->fate) {
        case SUBMIT_REFUSED: throw unpack_error(*told);
        case SUBMIT_ANSWERED: break;
        case SUBMIT_BUSY: why_alone_ = SUBMIT_ALONE_BUSY; return outcome::to_be_done;
        case SUBMIT_FAULT: why_alone_ = SUBMIT_ALONE_FAULT; return outcome::to_be_done;
        case SUBMIT_NOT_TOLD: why_alone_ = SUBMIT_ALONE_LOST; return outcome::to_be_done;
        }
        keep(unpack_answer(*told, id_), told->group_size);
        if (told->standbys_may_lack_it)
            warn_of_standbys();
        return outcome::done;
    }

    // What the server told the leader, in its words.
    static void warn_of_standbys() {
        pg_call([] {
            ereport(WARNING,
                    (errmsg("the session that led the group did not wait for the standby"),
                     errdetail("The transaction has already committed locally, but might not have "
                               "been replicated to the standby.")));
        });
    }

    // Carries out the group. What goes wrong in it, and is not this session's own end, is nobody's:
    // each does his own by himself then.
    outcome lead() {
        std::optional<outcome> own;
        std::optional<sql_error> error;
        try {
            own = lead_group();
        } catch (const pg_error &) {
        } catch (const sql_error &failed) {
            error = failed;
        }
        if (own && own_error_)
            throw sql_error{*own_error_};
        if (own)
            return *own;
        if (error && group_size_ == 1)
            throw sql_error{*error};
        if (!error && (group_size_ == 1 || ends_session_call()))
            throw pg_error{};
        if (!error)
            forget_error();
        lockstep_submit_fault();
        why_alone_ = SUBMIT_ALONE_FAULT;
        abandon_transaction();
        return outcome::to_be_done;
    }

    // Whether the error that was caught is meant for this session.
    static bool ends_session_call() {
        const caught_error error = look_at_error();
        const std::string_view found{error.sqlstate, 5};
        return found == state::query_canceled || found.starts_with("57P");
    }

    outcome lead_group() {
        reach(fault_point::submit_leads);
        begin_read_committed();
        outcome own = outcome::to_be_done;
        {
            ledger_work work;
            const ledger &target = work.use().open(call_->group.ledger);
            check_rights(target);
            const submit_group now = group_of(target);
            // Changed since it was asked: each has to look at it by himself.
            why_alone_ = SUBMIT_ALONE_UNSERVED;
            if (serves_groups(target) && std::memcmp(&now, &call_->group, sizeof(now)) == 0)
                own = carry_out(target);
            reach(fault_point::submit_booked);
            work.finish();
        }
        commit_transaction();
        reach(fault_point::submit_committed);
        if (group_size_ > 1)
            pg_call([this] { lockstep_count_submit_group(ledger_, group_size_); });
        return own;
    }

    outcome carry_out(const ledger &target) {
        const int others = pg_call([] { return lockstep_submit_take(); });
        group_size_ = others + 1;
        reach(fault_point::submit_taken);
        call_vector<movement_request> requests;
        call_vector<int> whose; // the number of the follower; below zero: this session
        call_vector<uuid_bytes> ids;
        requests.reserve(static_cast<std::size_t>(group_size_));
        for (int number = -1; number < others; ++number) {
            const submit_call &one = number < 0 ? *call_ : *lockstep_submit_taken(number);
            uuid_bytes id{};
            std::memcpy(id.data(), one.request_id, id.size());
            ids.push_back(id);
        }
        // The same request twice: the second one is answered by the first, once that is booked.
        const auto by_id = sorted_by_id(ids);
        const auto first = first_of_id(ids, by_id);
        for (std::size_t place = 0; place < ids.size(); ++place) {
            const int number = static_cast<int>(place) - 1;
            if (first[place] != place) {
                lockstep_submit_answer_of(number)->fate = SUBMIT_BUSY;
                continue;
            }
            requests.push_back(
                unpack(number < 0 ? *call_ : *lockstep_submit_taken(number), target));
            whose.push_back(number);
        }
        const auto answers = move_group(target, requests);
        for (std::size_t i = 1; i < answers.size(); ++i)
            pack_answer(*lockstep_submit_answer_of(whose[i]), answers[i], group_size_);
        const group_answer &own = answers.front();
        own_error_ = own.error;
        why_alone_ = SUBMIT_ALONE_BUSY;
        if (own.error || own.result.status == movement_status::left)
            return outcome::to_be_done;
        why_alone_ = SUBMIT_MET_NOBODY;
        keep(own.result, group_size_);
        return outcome::done;
    }

    void by_itself() {
        begin_read_committed();
        {
            ledger_work work;
            read_request asked = read_(work.use());
            asked.request.request_id = id_;
            keep(move_one(*asked.target, asked.request), 1);
            work.finish();
        }
        commit_transaction();
    }

    // The answer, where it outlives the transaction.
    void keep(const movement_result &result, int group_size) {
        done_ = {result, group_size};
        const memory_scope scope{outside_};
        for (auto *numeric :
             {&done_.result.amount, &done_.result.from_balance, &done_.result.to_balance})
            if (*numeric) {
                const Datum value = **numeric;
                *numeric = pg_call([value] { return datumCopy(value, false, -1); });
            }
    }

    const request_reader &read_;
    MemoryContext outside_;
    uuid_bytes id_{};
    std::unique_ptr<submit_call> call_;
    int group_size_ = 1; // of the group that this session leads
    std::optional<sql_error> own_error_;
    submitted done_{};
    Oid ledger_ = InvalidOid;
    submit_alone why_alone_ = SUBMIT_MET_NOBODY;
};

} // namespace

submitted submit(const request_reader &read) {
    return submission{read}.run();
}

} // namespace lockstep
