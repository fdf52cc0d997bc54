// Uses enough of the client that everything below it has to be linked: libpqxx and libpq too.
#include <lockstep/lockstep.hpp>

#include <cstdio>

// Told on the command line by who knows what was installed.
#ifdef WANTED_VERSION
static_assert(lockstep::version == WANTED_VERSION);
#endif
static_assert(lockstep::version == LOCKSTEP_VERSION && LOCKSTEP_VERSION_MAJOR >= 0 &&
              LOCKSTEP_VERSION_MINOR >= 0);

int main() {
    lockstep::pool_options options;
    // Nobody listens there, so the call fails when it connects.
    options.conninfo = "host=127.0.0.1 port=1 connect_timeout=2";
    lockstep::pool sessions(options);
    lockstep::client client(sessions);
    lockstep::call_options call;
    call.retry.deadline = std::chrono::milliseconds(200);
    try {
        const auto result =
            client.transfer({.ledger = "account", .from_key = 1, .to_key = 2, .amount = 1}, call);
        std::printf("unexpected: %s\n", result.id.to_string().c_str());
        return 1;
    } catch (const lockstep::gave_up &failure) {
        std::printf("as expected: %s\n", failure.what());
        return failure.phase() == lockstep::phase::connect ? 0 : 1;
    }
}
