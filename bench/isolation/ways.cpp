#include "isolation/ways.hpp"

namespace lockstep::bench {

const std::vector<manner> &all_manners() {
    static const std::vector<manner> manners{manner::updates, manner::ordered, manner::lockstep};
    return manners;
}

const std::vector<way> &all_ways() {
    static const std::vector<way> ways = [] {
        std::vector<way> all;
        for (const auto how : all_manners())
            for (const auto at :
                 {level::read_committed, level::repeatable_read, level::serializable})
                all.push_back({how, at});
        return all;
    }();
    return ways;
}

std::string name_of(level at) {
    switch (at) {
    case level::read_committed: return "read committed";
    case level::repeatable_read: return "repeatable read";
    case level::serializable: return "serializable";
    }
    return "";
}

std::string label_of(level at) {
    switch (at) {
    case level::read_committed: return "READ COMMITTED";
    case level::repeatable_read: return "REPEATABLE READ";
    case level::serializable: return "SERIALIZABLE";
    }
    return "";
}

std::string key_of(manner how) {
    switch (how) {
    case manner::updates: return "updates";
    case manner::ordered: return "ordered";
    case manner::lockstep: return "transfer";
    }
    return "";
}

std::string label_of(manner how) {
    switch (how) {
    case manner::updates: return "two UPDATEs";
    case manner::ordered: return "two UPDATEs, by key";
    case manner::lockstep: return "lockstep.transfer";
    }
    return "";
}

std::string label_of(const way &which) {
    return label_of(which.how) + ", " + label_of(which.at);
}

} // namespace lockstep::bench
