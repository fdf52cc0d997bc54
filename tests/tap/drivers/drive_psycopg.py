# psycopg 3 at the end of a pipe: a line of JSON is a command, and its answer is a line of JSON. The other drivers
# here know "call", "sql" and "cancel" in the same way. All of them speak the extended protocol as JDBC does: Parse
# with types left open, Bind, Describe, Execute, Sync.
import json
import os
import queue
import sys
import threading
import traceback

import psycopg

# Prepared in the server from the first time on; not through a pooler, where the next server does not know it.
session = psycopg.connect(
    sys.argv[1], autocommit=True, prepare_threshold=None if "unprepared" in sys.argv else 0
)


def rows_of(cursor):
    return cursor.fetchall() if cursor.description else []


def call(command):
    text = "CALL lockstep.retry(%s, params => %s" + command.get("options", "") + ")"
    row = session.execute(text, [command["call"], command.get("params")]).fetchone()
    return dict(zip(("attempts", "last_error", "result"), row))


def sql(command):
    # Unprepared and without parameters it is one simple message.
    return {"rows": rows_of(session.execute(command["sql"], prepare=False))}


# Several statements without waiting for answers, up to one Sync at the end.
def pipeline(command):
    with session.pipeline():
        cursors = [session.execute(text) for text in command["pipeline"]]
    return {"rows": [rows_of(cursor) for cursor in cursors]}


# Statements in a transaction that the driver begins, as it does by itself.
def transaction(command):
    session.autocommit = False
    try:
        for text in command["transaction"]:
            session.execute(text)
        session.commit()
        return {}
    finally:
        session.rollback()
        session.autocommit = True


# A portal that is not read to its end, and then a statement, before any Sync.
def suspended(command):
    session.autocommit = False
    try:
        with session.cursor(name="suspended") as cursor:
            cursor.itersize = 1
            cursor.execute(command["suspended"][0])
            cursor.fetchone()
            return {"rows": rows_of(session.execute(command["suspended"][1]))}
    finally:
        session.rollback()
        session.autocommit = True


def answer(command):
    for name, work in WORKS.items():
        if name in command:
            return work(command)
    raise ValueError("unknown command")


WORKS = {"call": call, "sql": sql, "pipeline": pipeline, "transaction": transaction, "suspended": suspended}
commands = queue.Queue()


def serve():
    while (command := commands.get()) is not None:
        try:
            said = answer(command)
        except psycopg.Error as error:
            said = {"sqlstate": error.sqlstate, "message": str(error.diag.message_primary or error),
                    "hint": error.diag.message_hint}
        except Exception:
            traceback.print_exc()
            os._exit(1)
        print(json.dumps(said, default=str), flush=True)


worker = threading.Thread(target=serve)
worker.start()
for line in sys.stdin:
    command = json.loads(line)
    if "cancel" in command:
        session.cancel()
    else:
        commands.put(command)
commands.put(None)
worker.join()
