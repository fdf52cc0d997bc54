# What goes wrong first with each driver, and what mends it: prints a line "what: answer" for each; the answer is the
# SQLSTATE of the error (or the name of the driver's own), or what came of it.
#   traps.py MODULE      psycopg, psycopg2, asyncpg, sqlalchemy, django; the server is that of PGHOST and the like
import asyncio
import os
import sys
import uuid
from decimal import Decimal

CALL = "CALL lockstep.retry(%s, params => %s)"
SUM = "SELECT $1::int + $2::int AS n"


def tell(what, work, states):
    try:
        answer = work()
    except Exception as error:
        answer = states(error) or type(error).__name__
    print(f"{what}: {answer}", flush=True)


def of_libpq(error):
    error = getattr(error, "orig", None) or error.__cause__ or error
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


def with_psycopg():
    import psycopg

    session = psycopg.connect(autocommit=True)

    def status(text, *values):
        return lambda: ",".join(row[0] for row in session.execute(text, values))

    single = "SELECT status FROM lockstep.transfer('accounts', 1, 2, %s)"
    tell("a float", status(single, 1.5), of_libpq)
    tell("a float with a cast", status(single.replace("%s", "%s::numeric"), 1.5), of_libpq)
    tell("params of ints", lambda: session.execute(CALL, [SUM, [40, 2]]).fetchone()[2], of_libpq)
    tell("params of strings", lambda: session.execute(CALL, [SUM, ["40", "2"]]).fetchone()[2], of_libpq)
    tell("params of several types", lambda: session.execute(CALL, [SUM, [40, "2"]]).fetchone()[2], of_libpq)
    session.autocommit = False
    tell("autocommit off", lambda: session.execute(CALL, [SUM, ["40", "2"]]), of_libpq)


def with_psycopg2():
    import psycopg2

    session = psycopg2.connect("")
    cursor = session.cursor()

    def call():
        cursor.execute(CALL, [SUM, [40, 2]])
        return cursor.fetchone()[2]

    tell("autocommit off, the default", call, of_libpq)
    session.rollback()
    session.autocommit = True
    tell("autocommit on", call, of_libpq)

    def batch(ids):
        cursor.execute(f"SELECT status FROM lockstep.transfer_batch('accounts', %s, %s, %s, {ids})",
                       [[1, 1], [2, 2], [Decimal(1), Decimal(1)], [str(uuid.uuid4()), str(uuid.uuid4())]])
        return ",".join(row[0] for row in cursor)

    tell("ids as strings", lambda: batch("%s"), of_libpq)
    tell("ids as strings with a cast", lambda: batch("%s::uuid[]"), of_libpq)


def with_asyncpg():
    import asyncpg

    loop = asyncio.new_event_loop()
    session = loop.run_until_complete(asyncpg.connect())

    def value(text, *values):
        return lambda: loop.run_until_complete(session.fetchval(text, *values))

    def states(error):
        return getattr(error, "sqlstate", None)

    single = "SELECT status FROM lockstep.transfer('accounts', $1, $2, $3)"
    cast = "SELECT status FROM lockstep.transfer('accounts', $1::bigint, $2::bigint, $3)"
    tell("keys without a cast", value(single, 1, 2, Decimal(1)), states)
    tell("keys with a cast", value(cast, 1, 2, Decimal(1)), states)
    call = "CALL lockstep.retry($1, params => $2)"
    tell("params of ints", value(call, SUM, [40, 2]), states)
    tell("params of ints with a cast", value(call.replace("$2", "$2::int[]"), SUM, [40, 2]), states)

    async def in_transaction():
        async with session.transaction():
            await session.fetchval(call, SUM, ["40", "2"])

    tell("in transaction()", lambda: loop.run_until_complete(in_transaction()), states)


def with_sqlalchemy():
    from sqlalchemy import create_engine, text

    engine = create_engine("postgresql+psycopg2://")

    def call(how):
        with engine.connect().execution_options(**how) as session:
            return session.execute(text("CALL lockstep.retry(:s, params => :p)"), {"s": SUM, "p": [40, 2]}).one()[2]

    tell("the default", lambda: call({}), of_libpq)
    tell("AUTOCOMMIT", lambda: call({"isolation_level": "AUTOCOMMIT"}), of_libpq)
    # The cast that text() takes for no parameter.
    cast = text("SELECT status FROM lockstep.transfer('accounts', 1, 2, :amount::numeric)")
    tell("a cast with colons", lambda: engine.connect().execute(cast, {"amount": 1}).scalar(), of_libpq)


def with_django():
    from django.conf import settings

    places = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "NAME": "PGDATABASE"}
    database = {name: os.environ[variable] for name, variable in places.items()}
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}})
    from django.db import connection, transaction

    def call():
        with connection.cursor() as cursor:
            cursor.execute(CALL, [SUM, [40, 2]])
            return cursor.fetchone()[2]

    # ATOMIC_REQUESTS does the same around a view.
    tell("atomic()", lambda: transaction.atomic(call)(), of_libpq)
    tell("without", call, of_libpq)


globals()["with_" + sys.argv[1]]()
