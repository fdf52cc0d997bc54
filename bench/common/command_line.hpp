// How every benchmark reads what it is asked to do: the options that many of them have, in the same
// words. What is not said on the command line stays as the variable has it.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace lockstep::bench {

class command_line {
  public:
    explicit command_line(const std::string &purpose) : app_(purpose) {}

    // For what one benchmark alone has.
    CLI::App &own() { return app_; }

    // A flag that sets several variables, such as --quick. Options that are given beside it win,
    // before it or behind it.
    void kind(const std::string &name, const std::string &told, const std::function<void()> &set);

    template <class Number>
    void number(const std::string &name, Number &into, Number least, Number most,
                const std::string &told) {
        app_.add_option(name, into, told)->check(CLI::Range(least, most))->capture_default_str();
    }

    // One or more numbers, in place of those that the variable has.
    template <class Numbers>
    void numbers(const std::string &name, Numbers &into, typename Numbers::value_type least,
                 typename Numbers::value_type most, const std::string &told) {
        app_.add_option(name, into, told + "; one or more numbers")
            ->check(CLI::Range(least, most))
            ->capture_default_str();
    }

    // A whole number of its unit, 1 at least.
    template <class Duration>
    void duration(const std::string &name, Duration &into, int most, const std::string &told) {
        app_.add_option_function<int>(
                name, [&into](int count) { into = Duration(count); }, told)
            ->check(CLI::Range(1, most))
            ->default_str(std::to_string(into.count()));
    }

    void repetitions(int &into) { number("--repetitions", into, 1, 1000, "of each measurement"); }
    // 0: another one each time.
    void seed(std::uint64_t &into);
    // A folder; told: "claims.json goes".
    void output(std::string &into, const std::string &told);
    // A file; empty: none.
    void json(std::string &into);
    void folder(std::string &into);

    // The exit status where nothing is to be run: 0 after --help, 2 where an option is wrong.
    std::optional<int> read(int argc, char **argv);

  private:
    CLI::App app_;
};

} // namespace lockstep::bench
