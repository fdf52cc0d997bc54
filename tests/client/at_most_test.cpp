// Movements of what is there, up to an amount.

#include "proxy.hpp"
#include "server.hpp"

#include <string_view>
#include <utility>

namespace {

using namespace lockstep;
using namespace lockstep::testing;

struct at_most_test : server_test {
    pool sessions{options()};
    client caller{sessions};
};

TEST_F(at_most_test, a_transfer_says_how_much_there_was) {
    const auto id = request_id::make();
    const transfer_request all{
        .ledger = "account", .from_key = 1, .to_key = 2, .amount = 5000, .id = id, .at_most = true};
    const auto first = caller.transfer(all);
    EXPECT_EQ(first.status, booking::applied);
    EXPECT_EQ(first.amount, amount(1000));
    EXPECT_EQ(first.from_balance, amount(0));
    (void)caller.transfer({.ledger = "account", .from_key = 3, .to_key = 1, .amount = 7});
    const auto again = caller.transfer(all);
    EXPECT_EQ(again.status, booking::replayed);
    EXPECT_EQ(again.amount, amount(1000));
    auto other = all;
    other.at_most = false;
    EXPECT_THROW((void)caller.transfer(other), request_id_reused);
    other = all;
    other.amount = 1000;
    EXPECT_THROW((void)caller.transfer(other), request_id_reused);
    EXPECT_EQ(db().violations({id}), "");
}

TEST_F(at_most_test, an_adjustment_too_and_nothing_there_is_a_refusal) {
    const adjust_request all{.ledger = "account", .key = 3, .delta = -1200, .at_most = true};
    EXPECT_EQ(caller.adjust(all).delta, amount(-1000));
    const auto refused = caller.adjust(all);
    EXPECT_EQ(refused.status, booking::refused);
    EXPECT_EQ(refused.sqlstate, "LS001");
    const auto plain = caller.run({}, [&](transaction &tx) {
        return tx.adjust({.ledger = "account", .key = 3, .delta = 5, .at_most = true});
    });
    EXPECT_EQ(plain.delta, amount(5));
}

TEST_F(at_most_test, a_lost_answer_is_found_out_with_what_was_moved) {
    bool done = false; // the proxy's thread alone uses it
    proxy between(server_port(), [&done](std::string_view request) {
        if (request != "lockstep_transfer" || std::exchange(done, true))
            return fault::none;
        return fault::cut_after;
    });
    pool through(options_through(between.port(), 1));
    const auto result = client(through).transfer(
        {.ledger = "account", .from_key = 1, .to_key = 2, .amount = 5000, .at_most = true});
    EXPECT_TRUE(result.call.was_in_doubt);
    EXPECT_EQ(result.status, booking::applied);
    EXPECT_EQ(result.amount, amount(1000));
    EXPECT_EQ(db().booked(), 1);
}

} // namespace
