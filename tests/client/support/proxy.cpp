#include "proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace lockstep::testing {
namespace {

class descriptor {
  public:
    explicit descriptor(int value) noexcept : value_(value) {}
    ~descriptor() { reset(); }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;

    [[nodiscard]] int get() const noexcept { return value_; }
    void reset() noexcept {
        if (value_ >= 0)
            close(value_);
        value_ = -1;
    }

  private:
    int value_;
};

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
}

void send_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return; // the other side has gone: its end is seen when reading
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool receive(int from, std::string &into) {
    char buffer[16384];
    const ssize_t got = recv(from, buffer, sizeof buffer, 0);
    if (got <= 0)
        return false;
    into.append(buffer, static_cast<std::size_t>(got));
    return true;
}

// The length of the first message, or 0 while it is not complete. The start-up message has no type.
std::size_t message_length(std::string_view bytes, bool has_type) {
    const std::size_t head = has_type ? 1 : 0;
    if (bytes.size() < head + 4)
        return 0;
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data() + head, 4);
    const std::size_t whole = head + ntohl(length);
    return bytes.size() >= whole ? whole : 0;
}

// What a client's message asks for, when it is one of those that commit; else empty.
std::string_view recognised(std::string_view message) {
    const std::string_view body = message.substr(5);
    if (message[0] == 'Q' && body.starts_with("COMMIT"))
        return "COMMIT";
    if (message[0] == 'Q' && body.front() == '\0')
        return "PING";
    if (message[0] == 'B') { // Bind: the portal's name, then the statement's
        const auto portal_end = body.find('\0');
        const auto name =
            body.substr(portal_end + 1, body.find('\0', portal_end + 1) - portal_end - 1);
        if (name.starts_with("lockstep_"))
            return name;
    }
    return {};
}

} // namespace

struct proxy::link {
    link(int client_side, int server_side) : client(client_side), server(server_side) {}

    descriptor client, server;
    std::string from_client, from_server; // read, not yet passed on
    bool started = false;
    fault pending = fault::none;
};

proxy::proxy(int server_port, decision decide)
    : decide_(std::move(decide)), server_port_(server_port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr *>(&address), size) != 0 ||
        listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size) != 0 ||
        pipe(wake_) != 0)
        throw std::runtime_error("the proxy could not listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

proxy::~proxy() {
    {
        const std::lock_guard held(mutex_);
        stopping_ = true;
    }
    [[maybe_unused]] const auto woken = write(wake_[1], "x", 1);
    thread_.join();
    close(listener_);
    close(wake_[0]);
    close(wake_[1]);
}

void proxy::release() {
    {
        const std::lock_guard held(mutex_);
        released_ = true;
    }
    [[maybe_unused]] const auto woken = write(wake_[1], "x", 1);
}

void proxy::drop_held() {
    {
        const std::lock_guard held(mutex_);
        dropping_ = true;
    }
    [[maybe_unused]] const auto woken = write(wake_[1], "x", 1);
}

void proxy::wait_for_faults(int count) {
    std::unique_lock held(mutex_);
    if (!changed_.wait_for(held, std::chrono::minutes(1), [&] { return faults_ >= count; }))
        throw std::runtime_error("the proxy had nothing to hurt");
}

void proxy::wait_for_end() {
    std::unique_lock held(mutex_);
    if (!changed_.wait_for(held, std::chrono::minutes(1), [&] { return ends_ > 0; }))
        throw std::runtime_error("no link of the proxy has ended");
}

int proxy::faults_done() const {
    const std::lock_guard held(mutex_);
    return faults_;
}

int proxy::round_trips() const {
    const std::lock_guard held(mutex_);
    return round_trips_;
}

void proxy::fault_done() {
    const std::lock_guard held(mutex_);
    ++faults_;
    changed_.notify_all();
}

void proxy::serve() {
    for (;;) {
        std::vector<pollfd> waiting{{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
        for (const auto &each : links_) {
            waiting.push_back({each->client.get(), POLLIN, 0}); // a negative one is left out
            waiting.push_back({each->server.get(), POLLIN, 0});
        }
        poll(waiting.data(), waiting.size(), -1);
        if (waiting[1].revents != 0) {
            char byte = 0;
            [[maybe_unused]] const auto got = read(wake_[0], &byte, 1);
            const std::lock_guard held(mutex_);
            if (stopping_)
                break;
        }
        const std::size_t count = links_.size();
        for (std::size_t i = 0; i < count; ++i) {
            link &at = *links_[i];
            bool alive = true;
            if (waiting[2 + 2 * i].revents != 0)
                alive = from_client(at);
            if (alive && waiting[3 + 2 * i].revents != 0)
                alive = from_server(at);
            if (alive)
                take_server_messages(at);
            if (!alive) {
                at.client.reset();
                at.server.reset();
            }
        }
        if (std::erase_if(links_, [](const auto &each) { return each->server.get() < 0; }) > 0) {
            const std::lock_guard held(mutex_);
            ++ends_;
            changed_.notify_all();
        }
        if (waiting[0].revents != 0)
            accept_link();
    }
    links_.clear();
}

void proxy::accept_link() {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0)
        return;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(server_port_);
    if (connect(server, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) {
        close(server);
        close(client);
        return;
    }
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    links_.push_back(std::make_unique<link>(client, server));
}

bool proxy::from_client(link &at) {
    return receive(at.client.get(), at.from_client) && take_client_messages(at);
}

bool proxy::take_client_messages(link &at) {
    while (const auto length = message_length(at.from_client, at.started)) {
        const std::string message = at.from_client.substr(0, length);
        at.from_client.erase(0, length);
        const bool first = !std::exchange(at.started, true);
        const auto request = first ? std::string_view{} : recognised(message);
        if (!request.empty()) {
            at.pending = decide_(request);
            if (at.pending == fault::cut_before) {
                fault_done();
                return false;
            }
            if (at.pending == fault::swallow) {
                at.client.reset();
                fault_done();
                return true;
            }
        }
        send_all(at.server.get(), message);
        // What is executed with Bind comes in the same flight, and ends with Sync.
        const bool whole = !first && (message[0] == 'Q' || message[0] == 'S');
        if (whole) {
            const std::lock_guard held(mutex_);
            ++round_trips_;
        }
        if (at.pending == fault::hold_answer && whole)
            fault_done();
        if (at.pending == fault::drop_client && whole) {
            at.client.reset();
            fault_done();
            return true;
        }
    }
    return true;
}

bool proxy::from_server(link &at) {
    if (receive(at.server.get(), at.from_server))
        return true;
    take_server_messages(at); // its last words
    return false;
}

void proxy::take_server_messages(link &at) {
    if (at.client.get() < 0) { // nobody is there to hear it
        at.from_server.clear();
        return;
    }
    if (at.pending == fault::hold_answer) {
        const std::lock_guard held(mutex_);
        if (dropping_)
            at.client.reset();
        if (dropping_ || !released_)
            return;
        at.pending = fault::none;
    }
    while (const auto length = message_length(at.from_server, true)) {
        const std::string message = at.from_server.substr(0, length);
        at.from_server.erase(0, length);
        if (at.pending != fault::cut_after) {
            send_all(at.client.get(), message);
        } else if (message[0] == 'Z') { // ReadyForQuery: the commit is done
            at.client.reset();
            at.server.reset();
            fault_done();
            return;
        }
    }
}

} // namespace lockstep::testing
