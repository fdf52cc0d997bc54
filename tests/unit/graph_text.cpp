#include "graph_text.hpp"

#include <array>
#include <cctype>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace lockstep::testing {

namespace {

struct token {
    enum class kind { word, quoted, sign, end } what;
    std::string text;
    bool means_more = false; // as \N does, a node's own name
};

class dot_reader {
  public:
    explicit dot_reader(std::string_view text) : text_(text) { next(); }

    read_graph read() {
        word("digraph");
        if (now_.what == token::kind::word || now_.what == token::kind::quoted)
            next();
        sign("{");
        while (!is_sign("}"))
            statement();
        next();
        if (now_.what != token::kind::end)
            throw std::runtime_error("text behind the graph: " + now_.text);
        return std::move(graph_);
    }

  private:
    [[nodiscard]] bool is_sign(std::string_view sign) const {
        return now_.what == token::kind::sign && now_.text == sign;
    }
    void sign(std::string_view wanted) {
        if (!is_sign(wanted))
            throw std::runtime_error("no " + std::string{wanted} + " but " + now_.text);
        next();
    }
    void word(std::string_view wanted) {
        if (name() != wanted)
            throw std::runtime_error("no " + std::string{wanted});
    }
    std::string name() {
        if (now_.what != token::kind::word && now_.what != token::kind::quoted)
            throw std::runtime_error("no name but " + now_.text);
        std::string text = now_.text;
        means_more_ = means_more_ || now_.means_more;
        next();
        return text;
    }

    void statement() {
        means_more_ = false;
        const std::string first = name();
        const bool all = first == "graph" || first == "node" || first == "edge";
        if (is_sign("=")) {
            next();
            name();
        } else if (is_sign("->")) {
            next();
            const std::string second = name();
            auto [label, look] = attributes();
            graph_.edges.push_back({first, second, std::move(label), std::move(look)});
        } else {
            auto [label, look] = attributes();
            if (!all && !graph_.nodes.insert({first, {std::move(label), std::move(look)}}).second)
                throw std::runtime_error("said twice: " + first);
        }
        if (means_more_ && !all)
            throw std::runtime_error("an escape with a meaning");
        if (is_sign(";"))
            next();
    }

    std::pair<std::string, std::string> attributes() {
        std::string label;
        std::string look;
        if (!is_sign("["))
            return {label, look};
        for (sign("["); !is_sign("]");) {
            const std::string key = name();
            sign("=");
            const std::string value = name();
            if (key == "label")
                label = value;
            else
                look.append(key).append("=").append(value).append(" ");
            if (is_sign(",") || is_sign(";"))
                next();
        }
        next();
        return {label, look};
    }

    static bool is_word(char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_' || c == '.' || c == '-';
    }

    void next() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0)
            ++at_;
        now_ = {token::kind::end, ""};
        if (at_ == text_.size())
            return;
        if (text_[at_] == '"') {
            quoted();
        } else if (text_.substr(at_, 2) == "->") {
            now_ = {token::kind::sign, "->"};
            at_ += 2;
        } else if (is_word(text_[at_])) {
            now_.what = token::kind::word;
            while (at_ < text_.size() && is_word(text_[at_]))
                now_.text += text_[at_++];
        } else {
            now_ = {token::kind::sign, std::string{text_[at_++]}};
            if (std::string_view{"{}[]=,;"}.find(now_.text) == std::string_view::npos)
                throw std::runtime_error("a sign of no use here: " + now_.text);
        }
    }

    void quoted() {
        now_.what = token::kind::quoted;
        for (++at_;; ++at_) {
            if (at_ >= text_.size())
                throw std::runtime_error("a quote without an end");
            const char c = text_[at_];
            if (c == '"')
                break;
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
                throw std::runtime_error("a control character in quotes");
            if (c != '\\') {
                now_.text += c == '&' ? entity() : c;
                continue;
            }
            const char escaped = ++at_ < text_.size() ? text_[at_] : ' ';
            if (escaped != '"' && escaped != '\\' && escaped != 'n')
                now_.means_more = true;
            now_.text += escaped == 'n' ? '\n' : escaped;
        }
        ++at_;
    }

    // Graphviz reads HTML's entities in any label.
    char entity() {
        static constexpr std::array<std::pair<std::string_view, char>, 5> known{
            {{"&amp;", '&'}, {"&#38;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}}};
        for (const auto &[text, c] : known)
            if (text_.substr(at_, text.size()) == text) {
                at_ += text.size() - 1;
                return c;
            }
        return '&';
    }

    std::string_view text_;
    std::size_t at_ = 0;
    token now_{token::kind::end, ""};
    bool means_more_ = false; // of the statement at hand
    read_graph graph_;
};

// What a reader of the drawing sees of a label in quotes.
std::string seen_in_mermaid(std::string_view label) {
    static constexpr std::string_view line_end = "<br/>";
    std::string text;
    for (std::size_t i = 0; i < label.size(); ++i) {
        const char c = label[i];
        if (label.substr(i, line_end.size()) == line_end) {
            text += '\n';
            i += line_end.size() - 1;
        } else if (c == '#') {
            int code = 0;
            for (++i; i < label.size() && std::isdigit(static_cast<unsigned char>(label[i])) != 0;
                 ++i)
                code = code * 10 + (label[i] - '0');
            if (i >= label.size() || label[i] != ';' || code == 0 || code > 0x7f)
                throw std::runtime_error("a mark of no entity");
            text += static_cast<char>(code);
        } else if (std::string_view{"\"&<>`\\;{}[]|*_~"}.find(c) != std::string_view::npos ||
                   static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            throw std::runtime_error("mark-up in a label: " + std::string{label});
        } else {
            text += c;
        }
    }
    return text;
}

class line_reader {
  public:
    explicit line_reader(std::string_view line) : whole_(line), rest_(line) {}

    bool has(std::string_view next) {
        if (!rest_.starts_with(next))
            return false;
        rest_.remove_prefix(next.size());
        return true;
    }
    void need(std::string_view next) {
        if (!has(next))
            fail();
    }
    std::string word() {
        std::size_t length = 0;
        while (length < rest_.size() &&
               std::isalnum(static_cast<unsigned char>(rest_[length])) != 0)
            ++length;
        if (length == 0)
            fail();
        return take(length);
    }
    std::string up_to_quote() {
        const std::size_t length = rest_.find('"');
        if (length == std::string_view::npos)
            fail();
        std::string text = take(length);
        need("\"");
        return text;
    }
    void rest_without(std::string_view signs) {
        if (rest_.find_first_of(signs) != std::string_view::npos)
            fail();
        rest_ = {};
    }
    void end() const {
        if (!rest_.empty())
            fail();
    }

  private:
    std::string take(std::size_t length) {
        std::string text{rest_.substr(0, length)};
        rest_.remove_prefix(length);
        return text;
    }
    [[noreturn]] void fail() const {
        throw std::runtime_error("no statement: " + std::string{whole_});
    }

    std::string_view whole_;
    std::string_view rest_;
};

} // namespace

read_graph read_dot(std::string_view text) {
    return dot_reader{text}.read();
}

read_graph read_mermaid(std::string_view text) {
    read_graph graph;
    for (bool first = true; !text.empty(); first = false) {
        const std::size_t length = text.find('\n');
        if (length == std::string_view::npos)
            throw std::runtime_error("a line without an end");
        line_reader line{text.substr(0, length)};
        text.remove_prefix(length + 1);
        if (first) {
            line.need("flowchart BT");
        } else if (line.has("  classDef ")) {
            line.word();
            line.need(" ");
            line.rest_without("\"'[]<>;%");
        } else if (line.has("  class ")) {
            std::vector<std::string> members{line.word()};
            while (line.has(","))
                members.push_back(line.word());
            line.need(" ");
            const std::string look = line.word();
            for (const std::string &member : members)
                graph.classes[member] = look;
        } else {
            line.need("  ");
            const std::string name = line.word();
            if (line.has("[\"")) {
                const std::string label = seen_in_mermaid(line.up_to_quote());
                line.need("]");
                if (!graph.nodes.insert({name, {label, ""}}).second)
                    throw std::runtime_error("said twice: " + name);
            } else {
                const std::string look = line.has(" -->") ? "-->" : "-.->";
                if (look == "-.->")
                    line.need(" -.->");
                std::string label;
                if (line.has("|\"")) {
                    label = seen_in_mermaid(line.up_to_quote());
                    line.need("|");
                }
                line.need(" ");
                graph.edges.push_back({name, line.word(), label, look});
            }
        }
        line.end();
    }
    return graph;
}

} // namespace lockstep::testing
