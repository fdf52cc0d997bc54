#include "transfers/contestants.hpp"

#include "common/statistics.hpp"

namespace lockstep::bench {

const std::vector<way> &all_ways() {
    static const std::vector<way> ways{
        way::client_transaction, way::plpgsql_call,    way::savepoint_batch,
        way::running_batch,      way::netted_batch,    way::floor_batch,
        way::lockstep_transfer,  way::lockstep_submit, way::lockstep_batch};
    return ways;
}

bool is_batch(way how) {
    switch (how) {
    case way::client_transaction:
    case way::plpgsql_call:
    case way::lockstep_transfer:
    case way::lockstep_submit: return false;
    case way::savepoint_batch:
    case way::netted_batch:
    case way::running_batch:
    case way::floor_batch:
    case way::lockstep_batch: return true;
    }
    return false;
}

bool is_ours(way how) {
    return how == way::lockstep_transfer || how == way::lockstep_submit ||
           how == way::lockstep_batch;
}

std::string key_of(way how) {
    switch (how) {
    case way::client_transaction: return "client_transaction";
    case way::plpgsql_call: return "plpgsql_transfer";
    case way::savepoint_batch: return "savepoint_batch";
    case way::netted_batch: return "netted_batch";
    case way::running_batch: return "running_batch";
    case way::floor_batch: return "floor_batch";
    case way::lockstep_transfer: return "lockstep_transfer";
    case way::lockstep_submit: return "lockstep_submit";
    case way::lockstep_batch: return "lockstep_transfer_batch";
    }
    return "";
}

std::string key_of(const contestant &who) {
    return key_of(who.how) + (is_batch(who.how) ? "_" + std::to_string(who.items) : "");
}

std::string label_of(const contestant &who) {
    const auto named = [](way how) -> std::string {
        switch (how) {
        case way::client_transaction: return "transaction by the client";
        case way::plpgsql_call: return "PL/pgSQL transfer";
        case way::savepoint_batch: return "PL/pgSQL, savepoints";
        case way::netted_batch: return "netted SQL";
        case way::running_batch: return "netted SQL, with balances";
        case way::floor_batch: return "plain INSERT and UPDATE";
        case way::lockstep_transfer: return "lockstep transfer";
        case way::lockstep_submit: return "lockstep submit";
        case way::lockstep_batch: return "lockstep transfer_batch";
        }
        return "";
    };
    return named(who.how) + (is_batch(who.how) ? ", " + with_commas(who.items) : "");
}

std::string table_of(way how) {
    return key_of(how) + "_ledger";
}

std::string journal_of(way how) {
    return table_of(how) + "_journal";
}

} // namespace lockstep::bench
