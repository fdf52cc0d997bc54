// The drawings of the graph: the tree against branches drawn up from each node, and Graphviz' and
// Mermaid's text read back, whatever stands in the labels.
#include "core/graph/drawing.hpp"

#include "graph_text.hpp"
#include "random_arcs.hpp"
#include "random_seed.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using lockstep::graph::arc;
using lockstep::graph::branches;
using lockstep::graph::build_forest;
using lockstep::graph::draw_dot;
using lockstep::graph::draw_mermaid;
using lockstep::graph::draw_tree;
using lockstep::graph::drawn_edge;
using lockstep::graph::drawn_node;
using lockstep::graph::edge_kind;
using lockstep::graph::forest;
using lockstep::graph::kind_name;
using lockstep::graph::node_look;
using lockstep::graph::tree_line;
using lockstep::testing::dice;
using lockstep::testing::random_arcs;
using lockstep::testing::random_seed;
using lockstep::testing::read_dot;
using lockstep::testing::read_graph;
using lockstep::testing::read_mermaid;

using index = std::int32_t;

constexpr std::array all_kinds{edge_kind::hard, edge_kind::soft, edge_kind::latent,
                               edge_kind::safe_snapshot, edge_kind::group};
constexpr std::array all_looks{node_look::waits, node_look::root, node_look::cycle,
                               node_look::note};

std::size_t at(index i) {
    return static_cast<std::size_t>(i);
}

TEST(lock_drawing, names_the_kinds) {
    EXPECT_EQ(kind_name(edge_kind::hard), "hard");
    EXPECT_EQ(kind_name(edge_kind::soft), "soft");
    EXPECT_EQ(kind_name(edge_kind::latent), "latent");
    EXPECT_EQ(kind_name(edge_kind::safe_snapshot), "safe_snapshot");
    EXPECT_EQ(kind_name(edge_kind::group), "group");
}

// Whether no sibling stands further down.
bool is_last(const forest &built, index node) {
    const forest::node &one = built.nodes[at(node)];
    for (auto other = built.order.rbegin(); other != built.order.rend(); ++other) {
        const forest::node &sibling = built.nodes[at(*other)];
        if (sibling.parent == one.parent && sibling.root == one.root)
            return *other == node;
    }
    return false;
}

// In signs of three columns each, from the left.
std::vector<std::string> whole_branch(const forest &built, index node) {
    std::vector<std::string> signs;
    for (index up = node; up >= 0 && built.nodes[at(up)].depth > 0; up = built.nodes[at(up)].parent)
        if (up == node)
            signs.emplace_back(is_last(built, up) ? "└─ " : "├─ ");
        else
            signs.emplace_back(is_last(built, up) ? "   " : "│  ");
    std::ranges::reverse(signs);
    return signs;
}

std::string joined(const std::vector<std::string> &signs, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += signs[i];
    return text;
}

std::string in_ascii(std::string text) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> pairs{
        {{"├─ ", "+- "}, {"└─ ", "`- "}, {"│  ", "|  "}}};
    for (const auto &[box, ascii] : pairs)
        for (std::size_t found; (found = text.find(box)) != std::string::npos;)
            text.replace(found, box.size(), ascii);
    return text;
}

constexpr std::size_t widest = 60; // signs of three columns

// The whole branch; or, far down, the beginning of it and the depth in place of the rest.
void check_branch(const forest &built, const tree_line &line) {
    const auto signs = whole_branch(built, line.node);
    if (line.branch == joined(signs, signs.size())) {
        ASSERT_LE(signs.size(), widest);
        return;
    }
    ASSERT_GT(signs.size(), widest / 2) << line.branch;
    const std::string depth = "(" + std::to_string(built.nodes[at(line.node)].depth) + ") ";
    bool begins = false;
    for (std::size_t kept = widest / 2; kept <= std::min(widest, signs.size()); ++kept)
        begins = begins || line.branch == joined(signs, kept) + depth;
    ASSERT_TRUE(begins) << line.branch;
}

void check_tree(const forest &built) {
    const auto box = draw_tree(built, branches::box);
    const auto ascii = draw_tree(built, branches::ascii);
    std::size_t next = 0;
    index root = -1;
    for (const index node : built.order) {
        const index its_root = built.nodes[at(node)].root;
        if (its_root != root && built.roots[at(its_root)].node < 0) {
            ASSERT_LT(next, box.size());
            ASSERT_EQ(box[next].node, -1);
            ASSERT_EQ(box[next].root, its_root);
            ASSERT_EQ(box[next].branch, "");
            ++next;
        }
        root = its_root;
        ASSERT_LT(next, box.size());
        ASSERT_EQ(box[next].node, node);
        ASSERT_EQ(box[next].root, its_root);
        ASSERT_NO_FATAL_FAILURE(check_branch(built, box[next]));
        ++next;
    }
    ASSERT_EQ(next, box.size());
    ASSERT_EQ(ascii.size(), box.size());
    for (std::size_t i = 0; i < box.size(); ++i) {
        ASSERT_EQ(ascii[i].node, box[i].node);
        ASSERT_EQ(ascii[i].root, box[i].root);
        ASSERT_EQ(ascii[i].branch, in_ascii(box[i].branch));
    }
}

TEST(lock_drawing, of_random_forests_has_a_line_for_each_node) {
    const auto seed = random_seed();
    dice random{seed};
    for (int round = 0; round < 2000; ++round) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
        const index nodes = random.between(0, round % 20 == 0 ? 60 : 14);
        ASSERT_NO_FATAL_FAILURE(check_tree(build_forest(nodes, random_arcs(random, nodes))));
    }
}

// Deeper than any terminal is wide, with branches all along.
TEST(lock_drawing, of_deep_forests_is_cut_short) {
    const auto seed = random_seed();
    dice random{seed};
    for (int round = 0; round < 60; ++round) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
        const index nodes = random.between(30, 250);
        std::vector<arc> arcs;
        if (random.percent(50))
            arcs.push_back({0, 1, true});
        for (index i = 1; i < nodes; ++i)
            arcs.push_back({i, std::max(0, i - random.between(1, 2)), true});
        ASSERT_NO_FATAL_FAILURE(check_tree(build_forest(nodes, arcs)));
    }
    std::vector<arc> chain;
    for (index i = 1; i < 5000; ++i)
        chain.push_back({i, i - 1, true});
    const auto lines = draw_tree(build_forest(5000, chain), branches::ascii);
    ASSERT_EQ(lines.size(), 5000U);
    EXPECT_TRUE(lines.back().branch.ends_with("(4999) "));
    for (const tree_line &line : lines)
        ASSERT_LE(line.branch.size(), 3 * widest);
}

TEST(lock_drawing, of_a_small_forest_reads_as_by_hand) {
    const std::vector<arc> arcs{{1, 0, true}, {2, 1, true}, {3, 0, true}, {4, 3, true},
                                {5, 6, true}, {6, 5, true}, {7, 5, true}};
    std::string drawn;
    for (const tree_line &line : draw_tree(build_forest(8, arcs), branches::ascii))
        drawn += line.branch + (line.node < 0 ? "cycle" : std::to_string(line.node)) + '\n';
    EXPECT_EQ(drawn, "0\n"
                     "+- 1\n"
                     "|  `- 2\n"
                     "`- 3\n"
                     "   `- 4\n"
                     "cycle\n"
                     "+- 5\n"
                     "|  `- 7\n"
                     "`- 6\n");
}

// Pieces of labels that mean something to somebody.
std::string random_label(dice &random) {
    static const std::vector<std::string> pieces{"\"",
                                                 "\\",
                                                 "\\\"",
                                                 "\n",
                                                 "\r",
                                                 "\t",
                                                 "\x01",
                                                 "\x1b[31m",
                                                 "\x7f",
                                                 std::string(1, '\0'),
                                                 "#",
                                                 ";",
                                                 "--",
                                                 "->",
                                                 "-->",
                                                 "end",
                                                 "</script>",
                                                 "<br/>",
                                                 "<b>",
                                                 "<",
                                                 ">",
                                                 "&",
                                                 "{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 "|",
                                                 "`",
                                                 "*",
                                                 "_",
                                                 "~~~",
                                                 "%%",
                                                 "\\N",
                                                 "\\l",
                                                 "\\n",
                                                 "\\",
                                                 "n1",
                                                 "graph",
                                                 "subgraph x",
                                                 "select 'a'",
                                                 " ",
                                                 "\"]\n  n9 [label=\"",
                                                 "\"]\n  n9[\"",
                                                 "\"| n9\n",
                                                 "'",
                                                 "(",
                                                 ")",
                                                 "=",
                                                 "@",
                                                 ":::",
                                                 "click n1",
                                                 "//",
                                                 "/*",
                                                 "*/",
                                                 "é",
                                                 "日本",
                                                 "😀",
                                                 "¶",
                                                 "1",
                                                 "42",
                                                 "$$",
                                                 "%%{init: {}}%%",
                                                 "javascript:",
                                                 "?",
                                                 "strict",
                                                 "node"};
    std::string label;
    for (int i = random.between(0, 6); i > 0; --i)
        label += pieces[at(random.below(pieces.size()))];
    return label;
}

// As it is to be seen: a control character leaves a blank, a line's end is one.
std::string shown(std::string label) {
    for (char &c : label)
        if (c != '\n' && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f))
            c = ' ';
    return label;
}

struct drawn_graph {
    std::vector<drawn_node> nodes;
    std::vector<drawn_edge> edges;
};

drawn_graph random_graph(dice &random, index nodes) {
    drawn_graph made;
    for (index i = 0; i < nodes; ++i)
        made.nodes.push_back({random_label(random), all_looks[at(random.below(4))]});
    for (index i = nodes == 0 ? 0 : random.between(0, 2 * nodes); i > 0; --i)
        made.edges.push_back({random.below(at(nodes)), random.below(at(nodes)),
                              all_kinds[at(random.below(4))], random_label(random)});
    return made;
}

std::string name_of(index node) {
    return "n" + std::to_string(node + 1);
}

// An empty label may have got something to fill it that is not seen.
bool shows(const std::string &read, const std::string &label, bool may_fill) {
    return read == shown(label) ||
           (may_fill && label.empty() && read.find_first_not_of(' ') == std::string::npos);
}

void check_read(const drawn_graph &made, const read_graph &read, bool may_fill) {
    ASSERT_EQ(read.nodes.size(), made.nodes.size());
    for (std::size_t i = 0; i < made.nodes.size(); ++i) {
        const auto found = read.nodes.find(name_of(static_cast<index>(i)));
        ASSERT_NE(found, read.nodes.end());
        ASSERT_TRUE(shows(found->second.label, made.nodes[i].label, may_fill))
            << found->second.label;
    }
    ASSERT_EQ(read.edges.size(), made.edges.size());
    for (std::size_t i = 0; i < made.edges.size(); ++i) {
        ASSERT_EQ(read.edges[i].from, name_of(made.edges[i].waiter));
        ASSERT_EQ(read.edges[i].to, name_of(made.edges[i].blocker));
        ASSERT_TRUE(shows(read.edges[i].label, made.edges[i].label, may_fill))
            << read.edges[i].label;
    }
}

TEST(lock_drawing, in_dot_and_mermaid_keeps_any_label_in_its_quotes) {
    const auto seed = random_seed();
    dice random{seed};
    for (int round = 0; round < 600; ++round) {
        const drawn_graph made = random_graph(random, random.between(0, 12));
        const std::string dot = draw_dot(made.nodes, made.edges);
        const std::string mermaid = draw_mermaid(made.nodes, made.edges);
        SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
        SCOPED_TRACE(dot);
        SCOPED_TRACE(mermaid);
        try {
            ASSERT_NO_FATAL_FAILURE(check_read(made, read_dot(dot), false));
            const read_graph read = read_mermaid(mermaid);
            ASSERT_NO_FATAL_FAILURE(check_read(made, read, true));
            for (std::size_t i = 0; i < made.nodes.size(); ++i) {
                const auto found = read.classes.find(name_of(static_cast<index>(i)));
                const std::string look = found == read.classes.end() ? "" : found->second;
                ASSERT_EQ(look, made.nodes[i].look == node_look::root    ? "root"
                                : made.nodes[i].look == node_look::cycle ? "ring"
                                                                         : "");
            }
            for (std::size_t i = 0; i < made.edges.size(); ++i)
                ASSERT_EQ(read.edges[i].look == "-->", made.edges[i].kind == edge_kind::hard);
        } catch (const std::exception &error) {
            FAIL() << error.what();
        }
    }
}

TEST(lock_drawing, in_dot_tells_looks_and_kinds_apart) {
    drawn_graph made;
    for (const node_look look : all_looks)
        made.nodes.push_back({"x", look});
    for (const edge_kind kind : all_kinds)
        made.edges.push_back({0, 1, kind, "x"});
    const read_graph read = read_dot(draw_dot(made.nodes, made.edges));
    std::set<std::string> nodes;
    for (const auto &[name, node] : read.nodes)
        nodes.insert(node.look);
    std::set<std::string> edges;
    for (const auto &edge : read.edges)
        edges.insert(edge.look);
    EXPECT_EQ(nodes.size(), all_looks.size());
    EXPECT_EQ(edges.size(), all_kinds.size());
}

// Graphviz shows "<" where a label says "&lt;".
TEST(lock_drawing, in_dot_shows_an_entity_as_it_is_written) {
    for (const char *const label : {"&lt;", "a &amp;&amp; b", "&quot;", "&#38;"}) {
        const std::vector<drawn_node> nodes{{label, node_look::waits}};
        EXPECT_EQ(read_dot(draw_dot(nodes, {})).nodes.at("n1").label, label);
    }
}

// Mermaid's grammar has no empty text, not in quotes either.
TEST(lock_drawing, in_mermaid_has_no_empty_label) {
    const std::vector<drawn_node> nodes{{"", node_look::waits}};
    const std::vector<drawn_edge> edges{{0, 0, edge_kind::hard, ""}};
    const std::string text = draw_mermaid(nodes, edges);
    EXPECT_EQ(text.find("\"\""), std::string::npos) << text;
}

TEST(lock_drawing, leaves_out_the_empty_label_of_an_edge) {
    const std::vector<drawn_node> nodes{{"x", node_look::waits}};
    const std::vector<drawn_edge> edges{
        {0, 0, edge_kind::hard, ""}, {0, 0, edge_kind::soft, ""}, {0, 0, edge_kind::latent, "y"}};
    const std::string mermaid = draw_mermaid(nodes, edges);
    EXPECT_TRUE(mermaid.ends_with("  n1 --> n1\n  n1 -.-> n1\n  n1 -.->|\"y\"| n1\n")) << mermaid;
    const std::string dot = draw_dot(nodes, edges);
    EXPECT_TRUE(dot.ends_with("  n1 -> n1;\n  n1 -> n1 [style=dashed];\n"
                              "  n1 -> n1 [style=dotted, label=\"y\"];\n}\n"))
        << dot;
}

// "direction", blanks, and where to.
bool gives_direction(const std::string &text) {
    constexpr std::string_view word = "direction";
    for (std::size_t i = text.find(word); i != std::string::npos; i = text.find(word, i + 1)) {
        const std::size_t blank = i + word.size();
        const std::size_t where = text.find_first_not_of(" \t", blank);
        if (where != std::string::npos && where > blank)
            for (const char *const way : {"TB", "BT", "RL", "LR", "TD"})
                if (text.compare(where, 2, way) == 0)
                    return true;
    }
    return false;
}

// Mermaid takes a line for a statement about the direction wherever these words are in it, quotes
// or no quotes: the node or edge would be gone.
TEST(lock_drawing, in_mermaid_gives_no_direction_by_a_label) {
    for (const char *const label :
         {"direction LR", "go in direction TB now", "direction  RL", "direction\tBT"}) {
        const std::vector<drawn_node> nodes{{label, node_look::waits}};
        const std::vector<drawn_edge> edges{{0, 0, edge_kind::soft, label}};
        const std::string text = draw_mermaid(nodes, edges);
        EXPECT_FALSE(gives_direction(text)) << text;
        EXPECT_EQ(read_mermaid(text).nodes.at("n1").label, shown(label));
    }
}

// "style" or "classDef", further on a colon, a "#" in the same word, and a semicolon.
bool sets_style(const std::string &text) {
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t word = std::min(line.find("style"), line.find("classDef"));
        for (std::size_t i = line.find(':', word); i < line.size(); i = line.find(':', i + 1)) {
            const std::size_t mark = line.find_first_of("# ", i);
            if (mark < line.size() && line[mark] == '#' && line.find(';', mark) < line.size())
                return true;
        }
    }
    return false;
}

// Mermaid cuts off the last semicolon of a line that looks like a statement about style, and what
// was an entity is then shown as written.
TEST(lock_drawing, in_mermaid_says_nothing_of_style_by_a_label) {
    const std::vector<drawn_node> nodes{{"style of:\"it\"", node_look::waits},
                                        {"classDef a:#1", node_look::waits}};
    const std::string text = draw_mermaid(nodes, {});
    EXPECT_FALSE(sets_style(text)) << text;
    EXPECT_EQ(read_mermaid(text).nodes.at("n1").label, "style of:\"it\"");
    EXPECT_EQ(read_mermaid(text).nodes.at("n2").label, "classDef a:#1");
}

// Graphviz itself, where it is installed.
TEST(lock_drawing, in_dot_is_read_by_graphviz) {
    if (std::system("command -v dot >/dev/null 2>&1") != 0)
        GTEST_SKIP() << "Graphviz' dot is not installed";
    const auto seed = random_seed();
    SCOPED_TRACE("seed " + std::to_string(seed));
    dice random{seed};
    // Without rings and with few edges: it lays out what it reads.
    drawn_graph made = random_graph(random, 60);
    if (made.edges.size() > 40)
        made.edges.resize(40);
    for (drawn_edge &edge : made.edges)
        if (edge.waiter < edge.blocker)
            std::swap(edge.waiter, edge.blocker);
    const std::string path =
        testing::TempDir() + "lock_drawing_test." + std::to_string(getpid()) + ".dot";
    std::ofstream{path, std::ios::binary} << draw_dot(made.nodes, made.edges);

    FILE *const dot = popen(("dot -Tcanon '" + path + "'").c_str(), "r");
    ASSERT_NE(dot, nullptr);
    std::string canon;
    std::array<char, 4096> block;
    for (std::size_t got; (got = fread(block.data(), 1, block.size(), dot)) > 0;)
        canon.append(block.data(), got);
    const int status = pclose(dot);
    std::remove(path.c_str());
    ASSERT_EQ(status, 0) << canon << draw_dot(made.nodes, made.edges);

    // It breaks a long line inside of quotes.
    for (std::size_t found; (found = canon.find("\\\n")) != std::string::npos;)
        canon.erase(found, 2);
    read_graph read;
    ASSERT_NO_THROW(read = read_dot(canon)) << canon;
    std::vector<std::string> names;
    for (const auto &[name, node] : read.nodes)
        names.push_back(name);
    std::vector<std::string> expected;
    expected.reserve(made.nodes.size());
    for (index i = 0; i < 60; ++i)
        expected.push_back(name_of(i));
    std::ranges::sort(expected);
    EXPECT_EQ(names, expected);
    std::vector<std::pair<std::string, std::string>> ends;
    for (const auto &edge : read.edges)
        ends.emplace_back(edge.from, edge.to);
    std::vector<std::pair<std::string, std::string>> expected_ends;
    for (const drawn_edge &edge : made.edges)
        expected_ends.emplace_back(name_of(edge.waiter), name_of(edge.blocker));
    std::ranges::sort(ends);
    std::ranges::sort(expected_ends);
    EXPECT_EQ(ends, expected_ends);
}

} // namespace
