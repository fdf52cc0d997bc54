// node-postgres at the end of a pipe; see drive_psycopg.py. Each CALL is a named prepared statement.
import { createInterface } from 'node:readline';
import pg from 'pg';

const [socket, port, user] = process.argv.slice(2);
const place = { host: socket, port: Number(port), user, database: 'postgres' };
const session = new pg.Client(place);
// A session that is terminated says so twice.
session.on('error', () => {});
await session.connect();

function statement(command) {
    if ('sql' in command)
        return { text: command.sql, rowMode: 'array' };
    return {
        name: 'retry' + (command.options ?? ''),
        text: `CALL lockstep.retry($1, params => $2${command.options ?? ''})`,
        values: [command.call, command.params ?? null],
    };
}

let running;
for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    if ('cancel' in command) {
        new pg.Client(place).cancel(session, running);
        continue;
    }
    running = new pg.Query(statement(command), (error, answer) => {
        if (!error) {
            console.log(JSON.stringify('call' in command ? answer.rows[0] : { rows: answer.rows }));
            return;
        }
        // It is told before the server is ready again; the next statement waits for that.
        const said = JSON.stringify({ sqlstate: error.code ?? null, message: error.message, hint: error.hint });
        session.query('SELECT 1', () => console.log(said));
    });
    session.query(running);
}
await session.end().catch(() => {});
