-- The entries of a row have the order of its bookings, wherever the journal's sequence has been left behind: sequences are
-- not replicated logically, and data alone is restored without them. Nobody has to call anything.
CREATE EXTENSION lockstep;
CREATE TABLE bg (id int PRIMARY KEY, balance numeric NOT NULL);
INSERT INTO bg VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('bg');
SELECT count(*) FROM generate_series(1, 2) AS n, lockstep.transfer('bg', 1, 2, n);

-- At its start again: register_ledger puts it right, and so does the next movement by itself.
ALTER SEQUENCE bg_journal_entry_seq RESTART;
SELECT lockstep.register_ledger('bg');
SELECT last_value, is_called FROM bg_journal_entry_seq;
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
ALTER SEQUENCE bg_journal_entry_seq RESTART;
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
SELECT setval('bg_journal_entry_seq', 1, false);
\c
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
SELECT array_agg(entry ORDER BY booked_at) FROM bg_journal;
SELECT * FROM lockstep.verify_ledger('bg');

-- Put back while a session is at work, by less than to its start; and found so by another session.
SELECT setval('bg_journal_entry_seq', 2);
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
SELECT setval('bg_journal_entry_seq', 4);
\c
SELECT count(*) FROM lockstep.transfer_batch('bg', ARRAY[1, 2, 1], ARRAY[2, 1, 2], ARRAY[3, 2, 1]);
SELECT setval('bg_journal_entry_seq', 3);
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT status FROM lockstep.adjust('bg', 1, 5);
COMMIT;
SELECT array_agg(entry ORDER BY booked_at, entry) FROM bg_journal;
SELECT * FROM lockstep.verify_ledger('bg');

-- Data alone, restored beside a session that is at work: rows whose numbers this sequence has never given.
ALTER TABLE bg_journal DISABLE TRIGGER USER;
INSERT INTO bg_journal OVERRIDING SYSTEM VALUE SELECT gen_random_uuid(), 5000 - n, '2026-01-01', 1, 2, 1, NULL, NULL, 'LS001' FROM generate_series(1, 1000) AS n;
ALTER TABLE bg_journal ENABLE TRIGGER USER;
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
SELECT max(entry) FROM bg_journal;

-- What is rolled back gives no number twice, and a row that is not committed yet counts.
SELECT setval('bg_journal_entry_seq', 1, false);
BEGIN;
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
ROLLBACK;
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
SELECT max(entry) FROM bg_journal;
SELECT * FROM lockstep.verify_ledger('bg');

-- verify_ledger calls it what it is.
SELECT setval('bg_journal_entry_seq', 7);
SELECT * FROM lockstep.verify_ledger('bg');
-- Where nobody can draw past the journal any more, that is still told, and the movement goes on.
ALTER SEQUENCE bg_journal_entry_seq MAXVALUE 5001 RESTART 3000;
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
SELECT violation, expected, found FROM lockstep.verify_ledger('bg') WHERE violation LIKE 'seq%';
-- A cache of old numbers is thrown away.
ALTER SEQUENCE bg_journal_entry_seq NO MAXVALUE CACHE 5 RESTART 10;
SELECT nextval('bg_journal_entry_seq');
SELECT status FROM lockstep.transfer('bg', 1, 2, 1);
SELECT max(entry) FROM bg_journal;

-- An empty journal, and an unlogged one.
CREATE UNLOGGED TABLE ul (id int PRIMARY KEY, balance int NOT NULL);
INSERT INTO ul VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('ul');
SELECT * FROM lockstep.verify_ledger('ul');
SELECT count(*) FROM generate_series(1, 2) AS n, lockstep.transfer('ul', 1, 2, n);
ALTER SEQUENCE ul_journal_entry_seq RESTART;
SELECT count(*) FROM generate_series(1, 2) AS n, lockstep.transfer('ul', 1, 2, n);
SELECT array_agg(entry ORDER BY entry) FROM ul_journal;
DROP TABLE bg, bg_journal, ul, ul_journal;
DROP EXTENSION lockstep;
