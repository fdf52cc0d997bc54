-- Exact amounts against the server's numeric: the same sums, the same order, the same room, on random
-- amounts of every size and scale. The seed is fixed and said.
CREATE EXTENSION lockstep_wall;

-- Digits of a hash of the seed and a number: the same on every server.
\set seed lockstep-1
\echo seed :seed
CREATE FUNCTION random_amount(seed text) RETURNS numeric IMMUTABLE LANGUAGE sql AS $$
SELECT ((ARRAY['-', ''])[1 + abs(h) % 2] || lpad(left(digits, length), greatest(length, scale + 1), '0'))::numeric
       * ('1e-' || scale)::numeric
  FROM (SELECT hashtextextended(seed, 1) / 16 AS h, translate(md5(seed) || md5(seed || 'x'), 'abcdef', '012345') AS digits,
               (1 + abs(hashtextextended(seed, 2) / 16) % 60)::int AS length,
               (abs(hashtextextended(seed, 3) / 16) % 45)::int AS scale) AS parts $$;
CREATE TABLE amounts AS
SELECT n, a, CASE n % 10 WHEN 0 THEN -a WHEN 1 THEN a WHEN 2 THEN round(a) WHEN 3 THEN a / 10 ELSE b END AS b
  FROM (SELECT n, random_amount(:'seed' || n || 'a') AS a, random_amount(:'seed' || n || 'b') AS b
          FROM generate_series(1, 40000) AS n) AS pairs;
UPDATE amounts SET a = trim_scale(a), b = trim_scale(b) WHERE n % 3 = 0;
-- Some whose sums need no more than a digit or two, some that are far longer than 38 digits.
INSERT INTO amounts SELECT n + 40000, a, round(-a, (n % 7)::int) FROM amounts WHERE n <= 2000;
INSERT INTO amounts SELECT n + 50000, a * b * a * b * a, b * a * (1e30 + n) FROM amounts WHERE n <= 1000;
-- On both sides of what 128 bits hold.
CREATE FUNCTION is_short(x numeric) RETURNS boolean IMMUTABLE LANGUAGE sql AS
$$ SELECT abs(x) * 10 ^ scale(x)::numeric < 1e38 AND scale(x) <= 38 $$;
SELECT count(*) FILTER (WHERE is_short(a) AND is_short(b)) > 5000 AS both_short,
       count(*) FILTER (WHERE is_short(a) <> is_short(b)) > 5000 AS one_short,
       count(*) FILTER (WHERE NOT is_short(a) AND NOT is_short(b)) > 5000 AS none_short,
       count(*) FILTER (WHERE is_short(a) AND is_short(b) AND NOT is_short(a + b)) > 1000 AS grown,
       count(*) FILTER (WHERE NOT is_short(a) AND NOT is_short(b) AND is_short(a + b)) > 20 AS shrunk FROM amounts;

-- The same sum, with the same decimals.
SELECT count(*) AS wrong_sums FROM amounts WHERE money_plus(a, b)::text IS DISTINCT FROM (a + b)::text;
-- The same order.
SELECT count(*) AS wrong_orders FROM amounts WHERE money_compare(a, b) <> sign(a - b);
SELECT count(*) > 100 AS some_are_equal FROM amounts WHERE money_compare(a, b) = 0;
-- As many decimals as matter.
SELECT count(*) AS wrong_scales FROM amounts WHERE money_least_scale(a) <> min_scale(a);
-- The same room in a column numeric(p, s).
CREATE FUNCTION fits_column(x numeric, p int, s int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    y numeric;
BEGIN
    EXECUTE format('SELECT $1::numeric(%s, %s)', p, s) INTO y USING x;
    RETURN x = y;
EXCEPTION WHEN numeric_value_out_of_range THEN
    RETURN false;
END $$;
SELECT count(*) FILTER (WHERE answer <> fits) AS wrong_fits, count(*) FILTER (WHERE fits) > 200 AS some_fit,
       count(*) FILTER (WHERE NOT fits) > 200 AS some_do_not
  FROM (SELECT money_fits(a, p, s) AS answer, fits_column(a, p, s) AS fits
          FROM (SELECT a, 1 + n % 58 AS p, (n / 58) % 48 - 3 AS s FROM amounts WHERE n % 4 = 0) AS columns) AS tried;

-- The edges.
SELECT money_plus(99999999999999999999999999999999999999, 1);
SELECT money_plus(99999999999999999999999999999999999999, -1);
SELECT money_plus(-99999999999999999999999999999999999999, -1);
SELECT money_plus(0.1, 0.2), money_plus(1.50, 0.5), money_plus(-0.05, 0.05);
SELECT money_plus(99999999999999999999999999999999999999, 0.00);
SELECT money_plus(100000000000000000000000000000000000000, -1);
SELECT money_plus(1e-39, -1e-39), money_plus(1e-38, 9e-39), money_plus(1e38, -99999999999999999999999999999999999999);
-- Of numeric's own edges the sum is none, as there.
SELECT money_plus(9e131071, 1e131071) IS NULL AS out_of_range, money_plus(9e131071, -1e131071) = 8e131071 AS in_range;
SELECT money_plus(1e-16383, 1e-16383) = 2e-16383 AS smallest;
SELECT money_plus('NaN', 0);
SELECT money_plus('Infinity', 0);

DROP TABLE amounts;
DROP FUNCTION fits_column, is_short, random_amount;
DROP EXTENSION lockstep_wall;
