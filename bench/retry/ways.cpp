#include "retry/ways.hpp"

namespace lockstep::bench {

const std::vector<way> &all_ways() {
    static const std::vector<way> ways{way::retry,        way::retry_eager, way::client,
                                       way::client_eager, way::function,    way::function_eager};
    return ways;
}

bool is_ours(way how) {
    return how == way::retry || how == way::retry_eager;
}

bool pauses(way how) {
    return how == way::retry || how == way::client || how == way::function;
}

std::string key_of(way how) {
    switch (how) {
    case way::retry: return "retry";
    case way::retry_eager: return "retry_no_backoff";
    case way::client: return "client_loop";
    case way::client_eager: return "client_loop_no_backoff";
    case way::function: return "function_loop";
    case way::function_eager: return "function_loop_no_backoff";
    }
    return "";
}

std::string label_of(way how) {
    switch (how) {
    case way::retry: return "lockstep.retry";
    case way::retry_eager: return "lockstep.retry, no backoff";
    case way::client: return "client's loop";
    case way::client_eager: return "client's loop, no backoff";
    case way::function: return "loop, a function";
    case way::function_eager: return "loop, a function, no backoff";
    }
    return "";
}

} // namespace lockstep::bench
