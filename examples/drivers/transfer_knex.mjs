// npm install knex pg; node transfer_knex.mjs
import { randomUUID } from 'node:crypto';
import knex from 'knex';

const transfer = `SELECT status, from_balance, to_balance FROM lockstep.transfer(
    ?::text::regclass, ?::bigint, ?::bigint, ?::numeric, ?::uuid, memo => ?::jsonb)`;
const batch = `SELECT item, status FROM lockstep.transfer_batch(
    ?::text::regclass, ?::bigint[], ?::bigint[], ?::numeric[], ?::uuid[])`;
const again = `SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)`;

const rent = randomUUID(); // once for the intent
const db = knex({ client: 'pg', connection: {} });
// As a part of a transaction of yours.
await db.transaction(async (work) => {
    const moved = await work.raw(transfer, ['accounts', 1, 2, '30.00', rent, { for: 'rent' }]);
    console.log(...Object.values(moved.rows[0]));
});
try {
    await db.raw(transfer, ['accounts', 1, 2, '500', randomUUID(), null]);
} catch (error) {
    console.log(error.code, error.detail);
}
const lists = [[1, 2], [2, 1], ['1', '1'], [randomUUID(), randomUUID()]];
const paid = await db.raw(batch, ['accounts', ...lists]);
console.log(...paid.rows.map((row) => row.status));
// By db, not by the transaction.
const retried = await db.raw('CALL lockstep.retry(?, params => ?)', [again, [1, 2, '30.00', rent]]);
console.log(retried.rows[0].attempts, retried.rows[0].result[0].status);
await db.destroy();
