-- One leg: a deposit or a withdrawal, stock taken or returned.
CREATE EXTENSION lockstep;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text; detail text; hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, '');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE stock (sku text COLLATE "C" PRIMARY KEY, on_hand integer NOT NULL, version integer NOT NULL DEFAULT 1, blocked boolean);
INSERT INTO stock VALUES ('bolt', 10, 1, false), ('nut', 5, 1, NULL), ('old', 1, 1, true);
SELECT lockstep.register_ledger('stock', amount => 'on_hand', ceiling => 100, version_column => 'version', frozen_column => 'blocked');

SELECT status, delta, balance, request_id IS NOT NULL AS has_id, booked_at <= clock_timestamp() AS booked FROM lockstep.adjust('stock', 'bolt', 5);
SELECT status, delta, balance FROM lockstep.adjust('stock', 'bolt', -3);
SELECT status, delta, balance FROM lockstep.adjust('stock', key => 'nut', delta => -5, memo => '"sold"');
SELECT entry, from_key, to_key, amount, from_balance, to_balance, memo FROM stock_journal ORDER BY entry;
SELECT sku, on_hand, version FROM stock ORDER BY sku;

-- Refused.
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', -1)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', 101)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'old', 1)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'gone', 1)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'bolt', 1, expected_version => 1)$$);
SELECT outcome($$SELECT (lockstep.adjust('stock', 'bolt', 1, expected_version => 3)).balance$$);
-- Not done at all.
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', 0)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', 0.5)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', -0.5)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', 3000000000)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', 'NaN')$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', '-Infinity')$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', NULL)$$);
SELECT outcome($$SELECT lockstep.adjust('stock', NULL::text, 1)$$);
SELECT outcome($$SELECT lockstep.adjust(NULL, 'nut', 1)$$);

-- Once for each id; the direction is content too.
SELECT status, delta, balance FROM lockstep.adjust('stock', 'nut', 7, lockstep.request_id('delivery 1'));
SELECT status, delta, balance FROM lockstep.adjust('stock', 'nut', 7, lockstep.request_id('delivery 1'));
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', -7, lockstep.request_id('delivery 1'))$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', 8, lockstep.request_id('delivery 1'))$$);
SELECT outcome($$SELECT lockstep.adjust('stock', 'bolt', 7, lockstep.request_id('delivery 1'))$$);
SELECT outcome($$SELECT lockstep.transfer('stock', 'bolt', 'nut', 7, lockstep.request_id('delivery 1'))$$);

-- A refusal that is returned is kept.
SELECT status, sqlstate, delta, balance FROM lockstep.adjust('stock', 'nut', -50, lockstep.request_id('order 1'), on_refusal => 'return');
SELECT status, delta, balance FROM lockstep.adjust('stock', 'nut', 60);
SELECT status, sqlstate, delta, balance FROM lockstep.adjust('stock', 'nut', -50, lockstep.request_id('order 1'), on_refusal => 'return');
SELECT outcome($$SELECT lockstep.adjust('stock', 'nut', -50, lockstep.request_id('order 1'))$$);

SELECT * FROM lockstep.verify_ledger('stock');
DROP FUNCTION outcome;
DROP TABLE stock, stock_journal;
DROP EXTENSION lockstep;
