// npm install typeorm pg; node transfer_typeorm.mjs
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';

const transfer = `SELECT status, from_balance, to_balance FROM lockstep.transfer(
    $1::text::regclass, $2::bigint, $3::bigint, $4::numeric, $5::uuid, memo => $6::jsonb)`;
const batch = `SELECT item, status FROM lockstep.transfer_batch(
    $1::text::regclass, $2::bigint[], $3::bigint[], $4::numeric[], $5::uuid[])`;
const again = `SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)`;

const rent = randomUUID(); // once for the intent
const { PGHOST: host, PGPORT: port, PGUSER: username, PGDATABASE: database } = process.env;
const db = new DataSource({ type: 'postgres', host, port: Number(port), username, database });
await db.initialize();
// As a part of a transaction of yours.
await db.transaction(async (work) => {
    const moved = await work.query(transfer, ['accounts', 1, 2, '30.00', rent, { for: 'rent' }]);
    console.log(...Object.values(moved[0]));
});
try {
    await db.query(transfer, ['accounts', 1, 2, '500', randomUUID(), null]);
} catch (error) {
    console.log(error.driverError.code, error.driverError.detail);
}
const lists = [[1, 2], [2, 1], ['1', '1'], [randomUUID(), randomUUID()]];
const paid = await db.query(batch, ['accounts', ...lists]);
console.log(...paid.map((row) => row.status));
// By db, not by the transaction.
const [retried] = await db.query('CALL lockstep.retry($1, params => $2)',
    [again, [1, 2, '30.00', rent]]);
console.log(retried.attempts, retried.result[0].status);
await db.destroy();
