// Readers of the two languages that the graph is drawn in, strict about what a label may hold.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::testing {

struct read_edge {
    std::string from;
    std::string to;
    std::string label;
    std::string look; // all else that is said of it
};

struct read_node {
    std::string label;
    std::string look;
};

struct read_graph {
    std::map<std::string, read_node> nodes;
    std::vector<read_edge> edges;
    std::map<std::string, std::string> classes; // Mermaid's, by node
};

// std::runtime_error where the text is none of the language, or where something in a label would
// mean more than itself.
[[nodiscard]] read_graph read_dot(std::string_view text);
[[nodiscard]] read_graph read_mermaid(std::string_view text);

} // namespace lockstep::testing
