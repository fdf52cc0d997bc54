#include "detail/pqxx_link.hpp"

#include <libpq-fe.h>
#include <pqxx/pqxx>

#include <utility>

namespace lockstep::detail {
namespace {

#if PQXX_VERSION_MAJOR < 7

// 6.x takes no open handle, but asks a policy for one.
class given_handle : public pqxx::connectionpolicy {
  public:
    explicit given_handle(pg_conn *open) : pqxx::connectionpolicy(std::string{}), open_(open) {}
    // Asked twice, first without a handle. Once it is given there is no other: 6.x would otherwise
    // open another session behind our back.
    handle do_startconnect(handle current) override {
        return current != nullptr ? current : std::exchange(open_, nullptr);
    }
    handle do_completeconnect(handle current) override { return current; }
    // Whatever libpqxx has not taken is ours to close.
    ~given_handle() noexcept override { PQfinish(open_); }

  private:
    pg_conn *open_;
};

class connection : private given_handle, public pqxx::connection_base {
  public:
    explicit connection(pg_conn *open)
        : given_handle(open), pqxx::connection_base(static_cast<given_handle &>(*this)) {
        try {
            init();
        } catch (...) {
            close(); // no destructor will
            throw;
        }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        inhibit_reactivation(true);
#pragma GCC diagnostic pop
    }
    ~connection() noexcept override {
        close();
    }
};

std::unique_ptr<connection> adopt(pg_conn *open) {
    return std::make_unique<connection>(open);
}

#else

using pqxx::connection;

std::unique_ptr<connection> adopt(pg_conn *open) {
    return std::make_unique<connection>(connection::seize_raw_connection(open));
}

#endif

} // namespace

struct pqxx_link::owned {
    explicit owned(pg_conn *open) : home(adopt(open)) {}

    std::unique_ptr<connection> home;
    std::unique_ptr<pqxx::nontransaction> inside;
};

pqxx_link::pqxx_link(pg_conn *open) : owned_(std::make_unique<owned>(open)) {}

pqxx_link::~pqxx_link() {
    end_transaction();
}

pqxx::transaction_base &pqxx_link::transaction() {
    if (!owned_->inside)
        owned_->inside = std::make_unique<pqxx::nontransaction>(*owned_->home);
    return *owned_->inside;
}

void pqxx_link::end_transaction() noexcept {
    owned_->inside.reset();
}

std::optional<server_report> report_of(const std::exception_ptr &thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const pqxx::sql_error &failure) {
        return server_report{std::string(failure.sqlstate()), failure.what()};
#if PQXX_VERSION_MAJOR < 7
    } catch (const pqxx::transaction_rollback &failure) {
        return server_report{{}, failure.what()};
#endif
    } catch (const pqxx::broken_connection &failure) {
        return server_report{{}, failure.what()};
    } catch (const pqxx::in_doubt_error &failure) {
        return server_report{{}, failure.what()};
    } catch (...) {
        return std::nullopt;
    }
}

} // namespace lockstep::detail
