// The ordinary ways' functions: what a good engineer writes for a table of their own. All keep the
// request ids, check the floor, lock in one order, and do no more. Amounts and balances are bigint.
#include "transfers/contestants.hpp"

namespace lockstep::bench {
namespace {

// The new balances are known once the rows are locked, so one INSERT and one UPDATE do.
constexpr auto *transfer_function = R"(
CREATE FUNCTION plpgsql_transfer(p_id uuid, p_from bigint, p_to bigint, p_amount bigint,
    OUT status text, OUT from_after bigint, OUT to_after bigint)
LANGUAGE plpgsql AS $$
DECLARE
    locked record;
BEGIN
    FOR locked IN SELECT id, balance FROM plpgsql_transfer_ledger
                   WHERE id IN (p_from, p_to) ORDER BY id FOR UPDATE LOOP
        IF locked.id = p_from THEN
            from_after := locked.balance - p_amount;
        ELSE
            to_after := locked.balance + p_amount;
        END IF;
    END LOOP;
    IF from_after IS NULL OR to_after IS NULL THEN
        RAISE no_data_found USING MESSAGE = 'row not found';
    END IF;
    INSERT INTO plpgsql_transfer_ledger_journal
           (request_id, booked_at, from_key, to_key, amount, from_balance, to_balance)
    VALUES (p_id, clock_timestamp(), p_from, p_to, p_amount, from_after, to_after)
        ON CONFLICT (request_id) DO NOTHING;
    IF NOT FOUND THEN
        SELECT 'replayed', from_balance, to_balance INTO status, from_after, to_after
          FROM plpgsql_transfer_ledger_journal WHERE request_id = p_id;
        RETURN;
    END IF;
    IF from_after < 0 THEN
        RAISE check_violation USING MESSAGE = 'insufficient funds';
    END IF;
    UPDATE plpgsql_transfer_ledger
       SET balance = CASE id WHEN p_from THEN from_after ELSE to_after END
     WHERE id IN (p_from, p_to);
    status := 'applied';
END $$)";

// A subtransaction an item. lock_first keeps batches of several sessions from deadlocking; alone it
// is left out, because a row that is locked above and updated below needs a MultiXact each time.
constexpr auto *savepoint_function = R"(
CREATE FUNCTION savepoint_batch(ids uuid[], from_keys bigint[], to_keys bigint[],
    amounts bigint[], lock_first boolean)
RETURNS TABLE (item integer, request_id uuid, status text, state text,
    from_balance bigint, to_balance bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF lock_first THEN
        PERFORM FROM savepoint_batch_ledger WHERE id = ANY (from_keys || to_keys)
          ORDER BY id FOR UPDATE;
    END IF;
    FOR i IN 1 .. cardinality(ids) LOOP
        item := i;
        request_id := ids[i];
        BEGIN
            IF from_keys[i] < to_keys[i] THEN
                UPDATE savepoint_batch_ledger SET balance = balance - amounts[i]
                 WHERE id = from_keys[i] RETURNING balance INTO STRICT from_balance;
                UPDATE savepoint_batch_ledger SET balance = balance + amounts[i]
                 WHERE id = to_keys[i] RETURNING balance INTO STRICT to_balance;
            ELSE
                UPDATE savepoint_batch_ledger SET balance = balance + amounts[i]
                 WHERE id = to_keys[i] RETURNING balance INTO STRICT to_balance;
                UPDATE savepoint_batch_ledger SET balance = balance - amounts[i]
                 WHERE id = from_keys[i] RETURNING balance INTO STRICT from_balance;
            END IF;
            IF from_balance < 0 THEN
                RAISE check_violation;
            END IF;
            INSERT INTO savepoint_batch_ledger_journal
                   (request_id, booked_at, from_key, to_key, amount, from_balance, to_balance)
            VALUES (ids[i], clock_timestamp(), from_keys[i], to_keys[i], amounts[i],
                    from_balance, to_balance);
            status := 'applied';
            state := NULL;
        EXCEPTION
            WHEN unique_violation THEN
                SELECT 'replayed', NULL, j.from_balance, j.to_balance
                  INTO status, state, from_balance, to_balance
                  FROM savepoint_batch_ledger_journal AS j WHERE j.request_id = ids[i];
            WHEN check_violation OR no_data_found THEN
                status := 'refused';
                state := SQLSTATE;
        END;
        RETURN NEXT;
    END LOOP;
END $$)";

// Floors are checked on the net alone, and nobody learns a balance. Arrays between the statements
// tell the planner how many keys there are: with one big statement it joins by nested loops.
constexpr auto *netted_function = R"(
CREATE FUNCTION netted_batch(ids uuid[], from_keys bigint[], to_keys bigint[], amounts bigint[])
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    keys bigint[];
    changes bigint[];
    done bigint;
BEGIN
    SELECT array_agg(key ORDER BY key), array_agg(change ORDER BY key) INTO keys, changes
      FROM (SELECT key, sum(change)::bigint AS change
              FROM (SELECT unnest(from_keys) AS key, - unnest(amounts) AS change
                    UNION ALL
                    SELECT unnest(to_keys), unnest(amounts)) AS legs
             GROUP BY key) AS net;
    PERFORM FROM netted_batch_ledger WHERE id = ANY (keys) ORDER BY id FOR UPDATE;
    UPDATE netted_batch_ledger AS l SET balance = l.balance + net.change
      FROM unnest(keys, changes) AS net (key, change)
     WHERE l.id = net.key AND l.balance + net.change >= 0;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done <> cardinality(keys) THEN
        RAISE check_violation USING MESSAGE = 'insufficient funds, or no such row';
    END IF;
    INSERT INTO netted_batch_ledger_journal (request_id, booked_at, from_key, to_key, amount)
    SELECT id, now(), from_key, to_key, amount
      FROM unnest(ids, from_keys, to_keys, amounts) AS wanted (id, from_key, to_key, amount);
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done;
END $$)";

// The same with the balances after each item, by running sums; a CHECK of the journal holds each of
// them against the floor. All or nothing. The plan for arrays of any length, which the planner
// would take from the sixth call on, is a hundred times slower than one for these arrays.
constexpr auto *running_function = R"(
CREATE FUNCTION running_batch(ids uuid[], from_keys bigint[], to_keys bigint[], amounts bigint[])
RETURNS TABLE (item bigint, request_id uuid, status text, state text,
    from_balance bigint, to_balance bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    keys bigint[];
    balances bigint[];
BEGIN
    SELECT array_agg(id), array_agg(balance) INTO keys, balances
      FROM (SELECT id, balance FROM running_batch_ledger
             WHERE id = ANY (from_keys || to_keys) ORDER BY id FOR UPDATE) AS locked;
    RETURN QUERY
    WITH legs AS MATERIALIZED (
        SELECT leg.item, side, key,
               old.balance + sum(change) OVER (PARTITION BY key ORDER BY leg.item
                   ROWS UNBOUNDED PRECEDING)::bigint AS balance
          FROM (SELECT i AS item, 'from' AS side, k AS key, - a AS change
                  FROM unnest(from_keys, amounts) WITH ORDINALITY AS f (k, a, i)
                UNION ALL
                SELECT i, 'to', k, a
                  FROM unnest(to_keys, amounts) WITH ORDINALITY AS t (k, a, i)) AS leg
          JOIN unnest(keys, balances) AS old (key, balance) USING (key)
    ), moved AS (
        UPDATE running_batch_ledger AS l SET balance = last.balance
          FROM (SELECT DISTINCT ON (key) key, balance FROM legs ORDER BY key, item DESC) AS last
         WHERE l.id = last.key
    )
    INSERT INTO running_batch_ledger_journal
           (request_id, booked_at, from_key, to_key, amount, from_balance, to_balance)
    SELECT wanted.id, now(), wanted.f, wanted.t, wanted.a, giving.balance, taking.balance
      FROM unnest(ids, from_keys, to_keys, amounts) WITH ORDINALITY AS wanted (id, f, t, a, i)
      JOIN legs AS giving ON giving.item = wanted.i AND giving.side = 'from'
      JOIN legs AS taking ON taking.item = wanted.i AND taking.side = 'to'
     ORDER BY wanted.i
    RETURNING entry, request_id, 'applied', NULL::text, from_balance, to_balance;
END $$)";

// What any way has to write: the journal rows as ours has them, and one new version of each row.
// The balances are made up, nothing is checked, and nobody gets an answer.
constexpr auto *floor_function = R"(
CREATE FUNCTION floor_batch(ids uuid[], from_keys bigint[], to_keys bigint[], amounts bigint[])
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    done bigint;
BEGIN
    INSERT INTO floor_batch_ledger_journal
           (request_id, booked_at, from_key, to_key, amount, from_balance, to_balance)
    SELECT id, now(), from_key, to_key, amount, 1000000000000 - amount, 1000000000000 + amount
      FROM unnest(ids, from_keys, to_keys, amounts) AS wanted (id, from_key, to_key, amount);
    GET DIAGNOSTICS done = ROW_COUNT;
    UPDATE floor_batch_ledger SET balance = balance WHERE id = ANY (from_keys || to_keys);
    RETURN done;
END $$)";

} // namespace

std::string functions_of(way how) {
    switch (how) {
    case way::plpgsql_call: return transfer_function;
    case way::savepoint_batch: return savepoint_function;
    case way::netted_batch: return netted_function;
    case way::running_batch: return running_function;
    case way::floor_batch: return floor_function;
    case way::client_transaction:
    case way::lockstep_transfer:
    case way::lockstep_submit:
    case way::lockstep_batch: return "";
    }
    return "";
}

} // namespace lockstep::bench
