// A loopback TCP proxy between client and server that understands just enough of the protocol to
// hurt it at the worst moment: it recognises a simple-query COMMIT, and the execution of a
// statement prepared under a name that begins with lockstep_ (body and commit at once), and an
// empty query.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lockstep::testing {

enum class fault {
    none,
    cut_before,  // the request never reaches the server
    cut_after,   // the server has answered, the client never hears it
    drop_client, // the request reaches the server, the client is cut off; the server's side stays
                 // open
    swallow,     // as drop_client, but the request never reaches the server
    hold_answer, // the link stays open, and the answer comes when release() says so
};

class proxy {
  public:
    // Decides about each request that is recognised: "COMMIT" or the statement's name. Called in
    // the proxy's thread.
    using decision = std::function<fault(std::string_view request)>;

    proxy(int server_port, decision decide);
    ~proxy();
    proxy(const proxy &) = delete;
    proxy &operator=(const proxy &) = delete;

    [[nodiscard]] int port() const noexcept { return port_; }

    // Answers held back go out now, and none is held any more.
    void release();
    // Cuts off the clients whose answers are held back; the server's side stays open.
    void drop_held();
    // Waits until so many faults were done: after cut_after has seen the answer, for one.
    void wait_for_faults(int count);
    // Waits until a link has ended at both sides: a server's process that is gone is
    // seen by its client only then.
    void wait_for_end();
    [[nodiscard]] int faults_done() const;
    // Requests that reached the server and wait for one answer each: simple queries and Syncs.
    [[nodiscard]] int round_trips() const;

  private:
    struct link;

    void serve();
    void accept_link();
    // Each gives false when the link has ended.
    bool from_client(link &at);
    bool from_server(link &at);
    bool take_client_messages(link &at);
    void take_server_messages(link &at);
    void fault_done();

    decision decide_;
    int server_port_;
    int port_ = 0;
    int listener_ = -1;
    int wake_[2] = {-1, -1};
    std::vector<std::unique_ptr<link>> links_; // the thread's own

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int faults_ = 0;
    int ends_ = 0;
    int round_trips_ = 0;
    bool released_ = false;
    bool dropping_ = false;
    bool stopping_ = false;

    std::thread thread_;
};

} // namespace lockstep::testing
