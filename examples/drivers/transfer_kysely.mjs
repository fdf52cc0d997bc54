// npm install kysely pg; node transfer_kysely.mjs
import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';

const again = `SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)`;

const rent = randomUUID(); // once for the intent
const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool() }) });
const transfer = (amount, id, memo) => sql`
    SELECT status, from_balance, to_balance FROM lockstep.transfer(${'accounts'}::text::regclass,
        ${1}::bigint, ${2}::bigint, ${amount}::numeric, ${id}::uuid, memo => ${memo}::jsonb)`;
// As a part of a transaction of yours.
await db.transaction().execute(async (work) => {
    const moved = await transfer('30.00', rent, { for: 'rent' }).execute(work);
    console.log(...Object.values(moved.rows[0]));
});
try {
    await transfer('500', randomUUID(), null).execute(db);
} catch (error) {
    console.log(error.code, error.detail);
}
const paid = await sql`
    SELECT item, status FROM lockstep.transfer_batch(${'accounts'}::text::regclass,
        ${[1, 2]}::bigint[], ${[2, 1]}::bigint[], ${['1', '1']}::numeric[],
        ${[randomUUID(), randomUUID()]}::uuid[])`.execute(db);
console.log(...paid.rows.map((row) => row.status));
// By db, not by the transaction.
const retried = await sql`
    CALL lockstep.retry(${again}, params => ${[1, 2, '30.00', rent]})`.execute(db);
console.log(retried.rows[0].attempts, retried.rows[0].result[0].status);
await db.destroy();
