// Pays everybody in one round trip: all or nobody, and then as many as there is money for.
//   batch 'host=localhost dbname=shop'       needs CREATE EXTENSION lockstep in that database
#include <lockstep/lockstep.hpp>

#include <iostream>
#include <vector>

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: batch CONNECTION-STRING\n";
        return 2;
    }
    try {
        lockstep::pool_options options;
        options.conninfo = argv[1];
        lockstep::pool sessions(options);
        lockstep::client client(sessions);

        client.run({}, [](lockstep::transaction &tx) {
            tx.exec("CREATE TABLE example_wage (name text PRIMARY KEY, balance numeric(12,2))");
            tx.exec("INSERT INTO example_wage VALUES ('till', 100), ('ann', 0), ('bob', 0)");
            tx.exec("SELECT lockstep.register_ledger('example_wage')");
        });

        std::vector<lockstep::transfer_item> wages{
            {.from_key = "till", .to_key = "ann", .amount = lockstep::amount("70.50")},
            {.from_key = "till", .to_key = "bob", .amount = lockstep::amount("70.50")}};
        for (auto &wage : wages)
            wage.id = lockstep::request_id::make(); // to be kept with the intent

        // All or nobody: a refusal undoes the batch, and leaves the ids unused.
        try {
            (void)client.transfer_batch({.ledger = "example_wage"}, wages);
        } catch (const lockstep::batch_refused &refusal) {
            std::cout << "nobody is paid: " << refusal.what() << " (item "
                      << refusal.batch_index().value_or(0) << ")\n";
        }

        // Each on its own: a refusal is the result of its item, and the others go through.
        const auto paid = client.transfer_batch({.ledger = "example_wage", .atomic = false}, wages);
        for (const auto &item : paid.items)
            std::cout << to_string(item.status) << " " << item.sqlstate << "\n";

        client.run({}, [](lockstep::transaction &tx) {
            tx.exec("SELECT lockstep.drop_ledger('example_wage', drop_journal => true)");
            tx.exec("DROP TABLE example_wage");
        });
        return paid.items[0].status == lockstep::booking::applied &&
                       paid.items[1].sqlstate == "LS001"
                   ? 0
                   : 1;
    } catch (const lockstep::error &failure) {
        std::cerr << failure.what() << " (SQLSTATE " << failure.sqlstate() << ", "
                  << failure.attempts() << " attempts)\n";
        return 1;
    }
}
