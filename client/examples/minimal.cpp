// One transfer between the accounts of the README's first use.
//   minimal 'host=localhost dbname=shop'
#include <lockstep/lockstep.hpp>

#include <iostream>

int main(int argc, char **argv) {
    lockstep::pool sessions({.conninfo = argc > 1 ? argv[1] : ""});
    lockstep::client client(sessions);
    const auto result = client.transfer({.ledger = "accounts",
                                         .from_key = 1,
                                         .to_key = 2,
                                         .amount = lockstep::amount("30"),
                                         .id = lockstep::request_id::make()});
    std::cout << to_string(result.status) << "\n";
}
