// npm install postgres; node transfer_postgres.mjs
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';

const again = `SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)`;

const rent = randomUUID(); // once for the intent
const sql = postgres();
const transfer = (amount, id, memo) => sql`
    SELECT status, from_balance, to_balance FROM lockstep.transfer(${'accounts'}::text::regclass,
        ${1}::bigint, ${2}::bigint, ${amount}::numeric, ${id}::uuid, memo => ${memo}::jsonb)`;
const [moved] = await transfer('30.00', rent, { for: 'rent' });
console.log(...Object.values(moved));
try {
    await transfer('500', randomUUID(), null);
} catch (error) {
    console.log(error.code, error.detail);
}
const paid = await sql`
    SELECT item, status FROM lockstep.transfer_batch(${'accounts'}::text::regclass,
        ${[1, 2]}::bigint[], ${[2, 1]}::bigint[], ${['1', '1']}::numeric[],
        ${[randomUUID(), randomUUID()]}::uuid[])`;
console.log(...paid.map((row) => row.status));
// Not inside sql.begin().
const [retried] = await sql`
    CALL lockstep.retry(${again}, params => ${['1', '2', '30.00', rent]}::text[])`;
console.log(retried.attempts, retried.result[0].status);
await sql.end();
