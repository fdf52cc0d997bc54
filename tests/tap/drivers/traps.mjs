// As traps.py: CALL retry inside the transaction of each of these, and outside.
//   node traps.mjs NAME      knex, kysely, postgres
const call = "CALL lockstep.retry('SELECT $1::int + $2::int AS n', params => ARRAY[40, 2])";

async function tell(what, work) {
    try {
        const rows = await work();
        console.log(`${what}: ${rows[0].result[0].n}`);
    } catch (error) {
        console.log(`${what}: ${error.code}`);
    }
}

const drivers = {
    async knex() {
        const db = (await import('knex')).default({ client: 'pg', connection: {} });
        await tell('in a transaction', () => db.transaction(async (work) => (await work.raw(call)).rows));
        await tell('outside', async () => (await db.raw(call)).rows);
        await db.destroy();
    },
    async kysely() {
        const { Kysely, PostgresDialect, sql } = await import('kysely');
        const { default: pg } = await import('pg');
        const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool() }) });
        const run = async (where) => (await sql.raw(call).execute(where)).rows;
        await tell('in a transaction', () => db.transaction().execute(run));
        await tell('outside', () => run(db));
        await db.destroy();
    },
    async postgres() {
        const sql = (await import('postgres')).default();
        await tell('in a transaction', () => sql.begin((work) => work.unsafe(call)));
        await tell('outside', () => sql.unsafe(call));
        await sql.end();
    },
};
await drivers[process.argv[2]]();
