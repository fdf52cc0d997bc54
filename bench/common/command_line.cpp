#include "common/command_line.hpp"

namespace lockstep::bench {

void command_line::kind(const std::string &name, const std::string &told,
                        const std::function<void()> &set) {
    // On its parse: all other options are set after that.
    app_.add_flag_callback(name, set, told)->trigger_on_parse();
}

void command_line::seed(std::uint64_t &into) {
    app_.add_option("--seed", into, "of all random choices; 0: another one each time");
}

void command_line::output(std::string &into, const std::string &told) {
    app_.add_option("--output", into, "where " + told)->capture_default_str();
}

void command_line::json(std::string &into) {
    app_.add_option("--json", into, "the results go to this file too");
}

void command_line::folder(std::string &into) {
    app_.add_option("--folder", into, "where the private server lives while this runs");
}

std::optional<int> command_line::read(int argc, char **argv) {
    try {
        app_.parse(argc, argv);
    } catch (const CLI::ParseError &problem) {
        return app_.exit(problem) == 0 ? 0 : 2;
    }
    return std::nullopt;
}

} // namespace lockstep::bench
