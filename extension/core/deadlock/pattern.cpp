#include "core/deadlock/pattern.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <vector>

namespace lockstep::deadlock {

namespace {

bool is_blank(char one) {
    return std::isspace(static_cast<unsigned char>(one)) != 0;
}

bool is_digit(char one) {
    return one >= '0' && one <= '9';
}

// Of an identifier; bytes of other characters than ASCII's are letters.
bool is_letter(char one) {
    const auto byte = static_cast<unsigned char>(one);
    return byte >= 0x80 || std::isalpha(byte) != 0 || one == '_';
}

bool is_word(char one) {
    return is_letter(one) || is_digit(one) || one == '$';
}

class reader {
  public:
    explicit reader(std::string_view text) : text_(text) {}

    std::string read() {
        while (at_ < text_.size())
            step();
        while (out_.ends_with(';') || out_.ends_with(' '))
            out_.pop_back();
        return std::move(out_);
    }

  private:
    [[nodiscard]] bool starts(std::string_view with) const {
        return text_.substr(at_).starts_with(with);
    }
    [[nodiscard]] char here() const { return text_[at_]; }
    [[nodiscard]] char next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'; }

    void step() {
        if (is_blank(here())) {
            ++at_;
            blank_ = true;
        } else if (starts("--")) {
            pass(text_.find('\n', at_));
            blank_ = true;
        } else if (starts("/*")) {
            const std::size_t end = text_.find("*/", at_ + 2);
            pass(end == std::string_view::npos ? end : end + 2);
            blank_ = true;
        } else if (here() == '\'') {
            pass_quoted(false);
            put_value();
        } else if ((here() == 'E' || here() == 'e') && next() == '\'') {
            ++at_;
            pass_quoted(true);
            put_value();
        } else if (here() == '"') {
            put_identifier();
        } else if (is_letter(here())) {
            put_word();
        } else if (is_digit(here()) || (here() == '.' && is_digit(next()))) {
            pass_number();
            put_value();
        } else if (here() == '$') {
            read_dollar();
        } else {
            put_sign();
        }
    }

    void pass(std::size_t to) { at_ = std::min(to, text_.size()); }

    void pass_quoted(bool escapes) {
        for (++at_; at_ < text_.size(); ++at_) {
            const bool is_pair = (escapes && here() == '\\') || (here() == '\'' && next() == '\'');
            if (is_pair)
                ++at_;
            else if (here() == '\'')
                break;
        }
        pass(at_ + 1);
    }

    void pass_number() {
        while (at_ < text_.size() && (is_word(here()) || here() == '.' ||
                                      ((here() == '+' || here() == '-') &&
                                       (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E'))))
            ++at_;
    }

    // A parameter, $1, or a string between $tag$ and $tag$.
    void read_dollar() {
        std::size_t end = at_ + 1;
        while (end < text_.size() && is_word(text_[end]) && text_[end] != '$')
            ++end;
        if (end < text_.size() && text_[end] == '$') {
            const std::string_view tag = text_.substr(at_, end + 1 - at_);
            const std::size_t close = text_.find(tag, end + 1);
            pass(close == std::string_view::npos ? close : close + tag.size());
        } else
            pass(std::max(end, at_ + 1));
        put_value();
    }

    void put_blank(char before) {
        if (blank_ && !out_.empty() && out_.back() != '(' && before != ')' && before != ',' &&
            before != ';')
            out_ += ' ';
        blank_ = false;
    }

    void put_word() {
        put_blank(here());
        while (at_ < text_.size() && is_word(here()))
            out_ += text_[at_++];
    }

    void put_identifier() {
        put_blank(here());
        const std::size_t end = text_.find('"', at_ + 1);
        const std::size_t to = end == std::string_view::npos ? text_.size() : end + 1;
        out_ += text_.substr(at_, to - at_);
        at_ = to;
    }

    void put_sign() {
        put_blank(here());
        out_ += text_[at_++];
        blank_ = blank_ || out_.back() == ',';
    }

    // Of a list of values the first one stands for all, and a sign before it belongs to it.
    void put_value() {
        if (out_.ends_with("?,")) {
            out_.pop_back();
            blank_ = false;
            return;
        }
        put_blank('?');
        out_ += '?';
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string out_;
    bool blank_ = false; // between what is there and what comes
};

} // namespace

std::string without_values(std::string_view statement) {
    return reader{statement}.read();
}

bool is_insert(std::string_view statement) {
    constexpr std::string_view word = "insert";
    const std::string plain = without_values(statement);
    return plain.size() > word.size() && !is_word(plain[word.size()]) &&
           std::equal(word.begin(), word.end(), plain.begin(), [](char small, char any) {
               constexpr char from_large = 'a' - 'A';
               return any == small || any == small - from_large;
           });
}

std::string pattern_of(std::span<const crossing> cycle) {
    std::vector<std::string> parts;
    for (const crossing &one : cycle)
        parts.push_back(one.statement + '\n' + one.wanted + '\n');
    std::string least;
    for (std::size_t first = 0; first < parts.size(); ++first) {
        std::string turned;
        for (std::size_t i = 0; i < parts.size(); ++i)
            turned += parts[(first + i) % parts.size()];
        if (first == 0 || turned < least)
            least = turned;
    }
    return least;
}

} // namespace lockstep::deadlock
