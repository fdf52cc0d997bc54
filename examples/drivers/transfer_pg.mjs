// npm install pg, or Debian's nodejs, node-pg and ln -s /usr/share/nodejs node_modules. node transfer_pg.mjs
import { randomUUID } from 'node:crypto';
import pg from 'pg';

const transfer = `SELECT status, from_balance, to_balance FROM lockstep.transfer(
    $1::text::regclass, $2::bigint, $3::bigint, $4::numeric, $5::uuid, memo => $6::jsonb)`;
const batch = `SELECT item, status FROM lockstep.transfer_batch(
    $1::text::regclass, $2::bigint[], $3::bigint[], $4::numeric[], $5::uuid[])`;
const again = `SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)`;

const rent = randomUUID(); // once for the intent
const session = new pg.Client();
await session.connect();
const moved = await session.query(transfer, ['accounts', 1, 2, '30.00', rent, { for: 'rent' }]);
console.log(...Object.values(moved.rows[0]));
try {
    await session.query(transfer, ['accounts', 1, 2, '500', randomUUID(), null]);
} catch (error) {
    console.log(error.code, error.detail);
}
const lists = [[1, 2], [2, 1], ['1', '1'], [randomUUID(), randomUUID()]];
const paid = await session.query(batch, ['accounts', ...lists]);
console.log(...paid.rows.map((row) => row.status));
const retried = await session.query('CALL lockstep.retry($1, params => $2)',
    [again, [1, 2, '30.00', rent]]);
console.log(retried.rows[0].attempts, retried.rows[0].result[0].status);
await session.end();
