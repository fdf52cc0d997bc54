// A transfer that is tried again after a conflict, with node-postgres: npm install pg; node transfer_pg.mjs
// Debian's nodejs and node-pg: first ln -s /usr/share/nodejs node_modules here, for import does not look there.
import pg from 'pg';

const transfer = `SELECT status, from_balance::text, to_balance::text
                    FROM lockstep.transfer('accounts', $1, $2, $3, lockstep.request_id($4))`;

// The intent makes the request id: a second run has the same one, and moves nothing.
const intent = 'rent 2026-11';
const session = new pg.Client();
await session.connect();
const answer = await session.query('CALL lockstep.retry($1, params => $2)',
    [transfer, ['1', '2', '30.00', intent]]);
await session.end();
const { attempts, result } = answer.rows[0];
console.log('attempts:', attempts);
console.log('result:', ...Object.values(result[0]));
