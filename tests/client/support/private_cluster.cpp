#include "private_cluster.hpp"

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace lockstep::testing {
namespace {

std::string scripts() {
    const char *const given = std::getenv("LOCKSTEP_SCRIPTS");
    return given != nullptr && *given != '\0' ? given : LOCKSTEP_SCRIPTS_DEFAULT;
}

std::string without_line_end(std::string text) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

// Reads both to the end; the server that a program starts in the background has neither of them
// open.
std::string read_all(int descriptor) {
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t got = read(descriptor, buffer, sizeof buffer);
        if (got > 0)
            text.append(buffer, static_cast<std::size_t>(got));
        else if (got == 0 || errno != EINTR)
            return text;
    }
}

} // namespace

std::string run_program(const std::vector<std::string> &words) {
    std::vector<char *> arguments;
    arguments.reserve(words.size() + 1);
    for (const auto &word : words)
        arguments.push_back(const_cast<char *>(word.c_str()));
    arguments.push_back(nullptr);
    int channel[2] = {-1, -1};
    if (pipe(channel) != 0)
        throw std::runtime_error("could not make a pipe");
    const pid_t child = fork();
    if (child == 0) {
        dup2(channel[1], STDOUT_FILENO);
        dup2(channel[1], STDERR_FILENO);
        close(channel[0]);
        close(channel[1]);
        execv(arguments[0], arguments.data());
        _exit(127);
    }
    close(channel[1]);
    std::string output = read_all(channel[0]);
    close(channel[0]);
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        std::string line;
        for (const auto &word : words)
            line += word + " ";
        throw std::runtime_error(line + "failed:\n" + output);
    }
    return without_line_end(std::move(output));
}

std::string private_cluster::command(const std::vector<std::string> &words) {
    std::vector<std::string> line{scripts() + "/cluster"};
    line.insert(line.end(), words.begin(), words.end());
    return run_program(line);
}

std::string private_cluster::pg_config() {
    return run_program({scripts() + "/pg-config"});
}

private_cluster::private_cluster(std::string folder, const std::vector<std::string> &settings)
    : folder_(std::move(folder)) {
    command({"destroy", folder_});
    std::vector<std::string> words{"create", folder_};
    for (const auto &setting : settings) {
        words.emplace_back("--conf");
        words.push_back(setting);
    }
    command(words);
    try {
        start();
        conninfo_ = command({"conninfo", folder_});
        port_ = std::stoi(command({"port", folder_}));
    } catch (...) {
        command({"destroy", folder_});
        throw;
    }
}

private_cluster::~private_cluster() {
    try {
        command({"destroy", folder_});
    } catch (...) { // NOLINT(bugprone-empty-catch): what is left is removed by the next run
    }
}

} // namespace lockstep::testing
