// A PostgreSQL server of our own for a test or the demo, made by scripts/cluster, with the staged
// extension in reach. Removed with the object.
#pragma once

#include <string>
#include <vector>

namespace lockstep::testing {

// Runs a program with arguments, without a shell; gives its standard output. Throws
// std::runtime_error with all that it printed when it fails.
std::string run_program(const std::vector<std::string> &words);

class private_cluster {
  public:
    // Makes it in a folder that does not exist yet, and starts it. One that an earlier run left
    // behind is removed first. settings are lines for postgresql.conf.
    explicit private_cluster(std::string folder, const std::vector<std::string> &settings = {});
    ~private_cluster();
    private_cluster(const private_cluster &) = delete;
    private_cluster &operator=(const private_cluster &) = delete;

    void start() { command({"start", folder_}); }
    // fast, immediate or smart
    void stop(const std::string &mode) { command({"stop", folder_, mode}); }
    void restart(const std::string &mode) { command({"restart", folder_, mode}); }

    // Through the Unix socket, to the database postgres, as the superuser.
    [[nodiscard]] std::string conninfo() const { return conninfo_; }
    [[nodiscard]] int port() const noexcept { return port_; }
    [[nodiscard]] const std::string &folder() const noexcept { return folder_; }

    // The pg_config of the server that scripts/cluster runs.
    static std::string pg_config();
    // What scripts/cluster prints for any command.
    static std::string command(const std::vector<std::string> &words);

  private:
    std::string folder_;
    std::string conninfo_;
    int port_ = 0;
};

} // namespace lockstep::testing
