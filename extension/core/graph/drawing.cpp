#include "core/graph/drawing.hpp"

#include <algorithm>

namespace lockstep::graph {

namespace {

// Deeper than this a tree is drawn no further to the right.
constexpr std::int32_t deepest_branch = 40;

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Inside a quoted string of Graphviz a quote and a backslash are escaped, and entities are read; \n
// ends a centred line.
std::string for_dot(std::string_view label) {
    std::string text;
    for (const char c : label) {
        if (c == '"' || c == '\\')
            text += '\\';
        if (c == '\n')
            text += "\\n";
        else if (c == '&')
            text += "&amp;";
        else
            text += is_control(c) ? ' ' : c;
    }
    return text;
}

// Mermaid has entities in place of escapes. Everything that is mark-up to it or to HTML is made
// one; so is what it looks for in a whole line, quoted or not: a direction, a style. An empty label
// is an error.
std::string for_mermaid(std::string_view label) {
    std::string text;
    for (const char c : label) {
        if (c == '\n')
            text += "<br/>";
        else if (is_control(c))
            text += ' ';
        else if (std::string_view{"\"#&<>`*_~:;\\{}[]|$%"}.find(c) != std::string_view::npos)
            text += '#' + std::to_string(static_cast<int>(c)) + ';';
        else
            text += c;
    }
    constexpr std::string_view direction = "direction";
    for (std::size_t at = text.find(direction); at != std::string::npos;
         at = text.find(direction, at + 1))
        text.replace(at, 1, "#100;");
    return text.empty() ? " " : text;
}

std::string_view dot_look(node_look look) {
    switch (look) {
    case node_look::root: return ", style=\"rounded,filled,bold\", fillcolor=\"#ffd9d0\"";
    case node_look::cycle: return ", style=\"rounded,filled\", fillcolor=\"#ffe9a8\"";
    case node_look::note: return ", shape=plaintext";
    case node_look::waits: break;
    }
    return "";
}

std::string_view dot_look(edge_kind kind) {
    switch (kind) {
    case edge_kind::soft: return "style=dashed";
    case edge_kind::latent: return "style=dotted";
    case edge_kind::safe_snapshot: return "color=blue";
    case edge_kind::group: return "color=darkgreen";
    case edge_kind::hard: break;
    }
    return "";
}

} // namespace

std::string_view kind_name(edge_kind kind) {
    switch (kind) {
    case edge_kind::hard: return "hard";
    case edge_kind::soft: return "soft";
    case edge_kind::latent: return "latent";
    case edge_kind::safe_snapshot: return "safe_snapshot";
    case edge_kind::group: return "group";
    }
    return "";
}

std::vector<tree_line> draw_tree(const forest &built, branches style) {
    const bool box = style == branches::box;
    const std::string_view fork = box ? "├─ " : "+- ";
    const std::string_view last = box ? "└─ " : "`- ";
    const std::string_view pass = box ? "│  " : "|  ";

    // From the end: whether a sibling follows is known by then.
    std::vector<bool> is_last(built.nodes.size(), false);
    std::vector<bool> seen(built.nodes.size() + built.roots.size(), false);
    for (std::size_t i = built.order.size(); i-- > 0;) {
        const auto node = static_cast<std::size_t>(built.order[i]);
        const forest::node &one = built.nodes[node];
        const std::size_t above = one.parent >= 0
                                      ? static_cast<std::size_t>(one.parent)
                                      : built.nodes.size() + static_cast<std::size_t>(one.root);
        is_last[node] = !seen[above];
        seen[above] = true;
    }

    std::vector<tree_line> lines;
    std::vector<std::string> below(1); // by depth: what the lines further down begin with
    std::int32_t root = -1;
    for (const std::int32_t node : built.order) {
        const forest::node &one = built.nodes[static_cast<std::size_t>(node)];
        if (one.root != root) {
            root = one.root;
            if (built.roots[static_cast<std::size_t>(root)].node < 0)
                lines.push_back({root, -1, ""});
        }
        const auto depth = static_cast<std::size_t>(std::min(one.depth, deepest_branch));
        below.resize(depth + 1);
        std::string branch;
        if (depth > 0) {
            branch = below[depth - 1];
            if (one.depth > deepest_branch)
                branch += "(" + std::to_string(one.depth) + ") ";
            else {
                below[depth] = branch;
                below[depth] += is_last[static_cast<std::size_t>(node)] ? "   " : pass;
                branch += is_last[static_cast<std::size_t>(node)] ? last : fork;
            }
        }
        lines.push_back({root, node, std::move(branch)});
    }
    return lines;
}

std::string draw_dot(std::span<const drawn_node> nodes, std::span<const drawn_edge> edges) {
    std::string text = "digraph lock_graph {\n"
                       "  rankdir=BT;\n"
                       "  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
                       "  edge [fontname=\"sans-serif\", fontsize=10];\n";
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        text += "  n" + std::to_string(i + 1) + " [label=\"" + for_dot(nodes[i].label) + '"';
        text += dot_look(nodes[i].look);
        text += "];\n";
    }
    for (const drawn_edge &one : edges) {
        text += "  n" + std::to_string(one.waiter + 1) + " -> n" + std::to_string(one.blocker + 1);
        std::string attributes{dot_look(one.kind)};
        if (!one.label.empty())
            attributes +=
                (attributes.empty() ? "label=\"" : ", label=\"") + for_dot(one.label) + '"';
        text += attributes.empty() ? ";\n" : " [" + attributes + "];\n";
    }
    return text + "}\n";
}

std::string draw_mermaid(std::span<const drawn_node> nodes, std::span<const drawn_edge> edges) {
    std::string text = "flowchart BT\n";
    std::string roots;
    std::string rings;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const std::string name = 'n' + std::to_string(i + 1);
        text += "  " + name + "[\"" + for_mermaid(nodes[i].label) + "\"]\n";
        if (nodes[i].look == node_look::root)
            roots += (roots.empty() ? "" : ",") + name;
        else if (nodes[i].look == node_look::cycle)
            rings += (rings.empty() ? "" : ",") + name;
    }
    for (const drawn_edge &one : edges) {
        text += "  n" + std::to_string(one.waiter + 1);
        text += one.kind == edge_kind::hard ? " -->" : " -.->";
        if (!one.label.empty())
            text += "|\"" + for_mermaid(one.label) + "\"|";
        text += " n" + std::to_string(one.blocker + 1) + '\n';
    }
    if (!roots.empty())
        text += "  classDef root fill:#ffd9d0,stroke:#aa3322\n  class " + roots + " root\n";
    if (!rings.empty())
        text += "  classDef ring fill:#ffe9a8,stroke:#aa7700\n  class " + rings + " ring\n";
    return text;
}

} // namespace lockstep::graph
