// What the tests of faults share: faults that come once, a ledger whose commits can be stopped
// half-way, and the check that each intent was applied exactly once.
#pragma once

#include "proxy.hpp"
#include "server.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lockstep::testing {

// A test at a level, of calls that go through faults and tell it.
struct fault_test : server_test, ::testing::WithParamInterface<isolation> {
    event_log log;

    call_options call() {
        call_options wanted;
        wanted.level = GetParam();
        wanted.retry.deadline = std::chrono::minutes(2); // a slow machine's; nothing waits for it
        wanted.retry.reconnect = {std::chrono::milliseconds(1), std::chrono::milliseconds(20)};
        wanted.retry.on_retry = log.hook();
        return wanted;
    }

    // For many threads: the log is one thread's.
    call_options patient() {
        auto wanted = call();
        wanted.retry.on_retry = {};
        wanted.retry.max_attempts = 1000;
        return wanted;
    }

    // Hurts the first request of its kind, and lets everything after it pass.
    static proxy::decision once(fault what, std::string_view request) {
        return [what, wanted = std::string(request),
                done = std::make_shared<std::atomic<bool>>(false)](std::string_view seen) {
            return seen == wanted && !done->exchange(true) ? what : fault::none;
        };
    }

    // Hurts six of ten requests of its kind.
    static proxy::decision at_random(std::string_view request) {
        return [wanted = std::string(request), // the proxy's thread alone uses the generator
                random = std::mt19937(printed_seed())](std::string_view seen) mutable {
            if (seen != wanted)
                return fault::none;
            switch (random() % 10) {
            case 0:
            case 1: return fault::cut_before;
            case 2:
            case 3: return fault::cut_after;
            case 4: return fault::drop_client;
            case 5: return fault::swallow;
            default: return fault::none;
            }
        };
    }

    void end_backend(const std::string &pid) {
        ask().run("SELECT pg_terminate_backend(" + pid + ", 60000)");
    }

    // Orphans in the server may still be at work when the last call has its answer.
    void wait_for_quiet() {
        ask().wait_until("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                         " AND application_name = 'lockstep' AND state <> 'idle'",
                         "0");
    }
};

// Lets every movement wait, at the given point, for an advisory lock that the test holds: no
// sleeps, and the test knows exactly how far the transaction has come.
class gate {
  public:
    enum class place {
        statement, // while the row is written
        commit,    // in a deferred trigger: COMMIT has been sent
    };

    gate(ledger_database &db, place where) : db_(db), holder_(db.conninfo()) {
        holder_.run("CREATE FUNCTION pass_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                    " PERFORM pg_advisory_xact_lock_shared(4711); RETURN NEW; END $$");
        holder_.run(where == place::commit
                        ? "CREATE CONSTRAINT TRIGGER gate AFTER UPDATE ON account DEFERRABLE"
                          " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pass_gate()"
                        : "CREATE TRIGGER gate BEFORE UPDATE ON account FOR EACH ROW"
                          " EXECUTE FUNCTION pass_gate()");
        holder_.run("SELECT pg_advisory_lock(4711)");
    }

    // Waits until a client's backend stands at the gate; its process id.
    std::string wait_for_arrival() {
        db_.ask().wait_until("SELECT count(*) > 0 FROM (" + at_the_gate_ + ") AS waiting", "t");
        return db_.ask().value(at_the_gate_ + " LIMIT 1");
    }
    void open() { holder_.run("SELECT pg_advisory_unlock_all()"); }

  private:
    const std::string at_the_gate_ =
        "SELECT l.pid FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted";
    ledger_database &db_;
    admin holder_;
};

// Each intent moves one unit from row 1 to row 2. Empty when the books are right and each of so
// many intents was applied once: not lost, and not under two ids.
inline std::string not_exactly_once(ledger_database &db,
                                    const std::vector<request_id> &acknowledged, int intents) {
    std::string found = db.violations(acknowledged);
    if (const int booked = db.booked(); booked != intents)
        found +=
            "intents: " + std::to_string(intents) + ", booked: " + std::to_string(booked) + "\n";
    const auto moved = db.ask().value("SELECT 1000 - balance FROM account WHERE id = 1");
    if (moved != std::to_string(intents))
        found += "intents: " + std::to_string(intents) + ", moved: " + moved + "\n";
    return found;
}

// A blind retry, as it is often written: whatever goes wrong is done again, under a new id. The
// tests use it to show that their check finds what it is there to find.
inline transfer_result transfer_blindly(client &caller, const transfer_request &request,
                                        isolation level, const retry_policy &policy) {
    run_options blind;
    blind.level = level;
    blind.retry = policy;
    blind.idempotent = true; // which is not true
    return caller.run(blind, [&](transaction &tx) {
        auto anew = request;
        anew.id = request_id::make();
        return tx.transfer(anew);
    });
}

} // namespace lockstep::testing
