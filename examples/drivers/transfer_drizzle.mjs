// npm install drizzle-orm pg; node transfer_drizzle.mjs
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';

const again = `SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)`;

const rent = randomUUID(); // once for the intent
const pool = new pg.Pool();
const db = drizzle(pool);
const transfer = (amount, id, memo) => sql`
    SELECT status, from_balance, to_balance FROM lockstep.transfer(${'accounts'}::text::regclass,
        ${1}::bigint, ${2}::bigint, ${amount}::numeric, ${id}::uuid, memo => ${memo}::jsonb)`;
// As a part of a transaction of yours.
await db.transaction(async (work) => {
    const moved = await work.execute(transfer('30.00', rent, JSON.stringify({ for: 'rent' })));
    console.log(...Object.values(moved.rows[0]));
});
try {
    await db.execute(transfer('500', randomUUID(), null));
} catch (error) {
    console.log(error.cause.code, error.cause.detail);
}
// Without sql.param an array becomes a list of parameters.
const list = (values) => sql.param(values);
const paid = await db.execute(sql`
    SELECT item, status FROM lockstep.transfer_batch(${'accounts'}::text::regclass,
        ${list([1, 2])}::bigint[], ${list([2, 1])}::bigint[], ${list(['1', '1'])}::numeric[],
        ${list([randomUUID(), randomUUID()])}::uuid[])`);
console.log(...paid.rows.map((row) => row.status));
// By db, not by the transaction.
const retried = await db.execute(sql`
    CALL lockstep.retry(${again}, params => ${list([1, 2, '30.00', rent])})`);
console.log(retried.rows[0].attempts, retried.rows[0].result[0].status);
await pool.end();
