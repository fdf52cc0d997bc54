// Moves money between two rows of an ordinary table, exactly once.
//   transfer 'host=localhost dbname=shop'       needs CREATE EXTENSION lockstep in that database
#include <lockstep/lockstep.hpp>

#include <iostream>

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: transfer CONNECTION-STRING\n";
        return 2;
    }
    try {
        // One pool and one client for the whole program; any thread may use them.
        lockstep::pool_options options;
        options.conninfo = argv[1];
        lockstep::pool sessions(options);
        lockstep::client client(sessions);

        // Any transaction: what it returns comes back when it has committed. It may run more than
        // once.
        client.run({}, [](lockstep::transaction &tx) {
            tx.exec("CREATE TABLE example_account (id bigint PRIMARY KEY, balance numeric(12,2))");
            tx.exec("INSERT INTO example_account VALUES ($1, $2), ($3, $4)", 1, "100.00", 2, 0);
            tx.exec("SELECT lockstep.register_ledger('example_account')");
        });

        // The id stands for the intent. Kept by the caller, it makes even a second call harmless.
        const auto id = lockstep::request_id::make();
        const lockstep::transfer_request rent{.ledger = "example_account",
                                              .from_key = 1,
                                              .to_key = 2,
                                              .amount = lockstep::amount("70.50"),
                                              .id = id,
                                              .memo = R"({"text": "rent"})"};
        for (int call = 0; call < 2; ++call) {
            const auto result = client.transfer(rent);
            std::cout << to_string(result.status) << ": row 1 has " << result.from_balance->text()
                      << "\n";
        }

        // Not enough is left for another one: an answer, not an exception.
        auto again = rent;
        again.id = lockstep::request_id::make();
        const auto refused = client.transfer(again);
        std::cout << to_string(refused.status) << ": " << refused.sqlstate << "\n";

        // For rows that everybody wants at the same time: the server commits together what comes
        // together, and each caller gets the answer to his own.
        const auto fee = client.submit({.ledger = "example_account",
                                        .from_key = 1,
                                        .to_key = 2,
                                        .amount = lockstep::amount("0.50"),
                                        .id = lockstep::request_id::make()});
        std::cout << to_string(fee.status) << ", with " << fee.group_size - 1 << " others\n";

        client.run({}, [](lockstep::transaction &tx) {
            tx.exec("SELECT lockstep.drop_ledger('example_account', drop_journal => true)");
            tx.exec("DROP TABLE example_account");
        });
        return refused.sqlstate == "LS001" && fee.status == lockstep::booking::applied ? 0 : 1;
    } catch (const lockstep::error &failure) {
        std::cerr << failure.what() << " (SQLSTATE " << failure.sqlstate() << ", "
                  << failure.attempts() << " attempts)\n";
        return 1;
    }
}
