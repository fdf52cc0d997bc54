# asyncpg at the end of a pipe; see drive_psycopg.py. It knows no other protocol than the extended one.
import asyncio
import json
import sys

import asyncpg


async def answer(session, command):
    if "call" in command:
        text = "CALL lockstep.retry($1, params => $2" + command.get("options", "") + ")"
        row = dict(await session.fetchrow(text, command["call"], command.get("params")))
        row["result"] = json.loads(row["result"]) if row["result"] is not None else None
        return row
    return {"rows": [list(row) for row in await session.fetch(command["sql"])]}


async def serve():
    socket, port, user = sys.argv[1:4]
    session = await asyncpg.connect(host=socket, port=int(port), user=user, database="postgres")
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    task = None

    async def run(command):
        try:
            said = await answer(session, command)
        except asyncpg.PostgresError as error:
            said = {"sqlstate": error.sqlstate, "message": str(error), "hint": getattr(error, "hint", None)}
        except asyncio.CancelledError:
            # What asyncpg makes of it, at once. The next statement waits until the server has obeyed.
            await session.fetch("SELECT 1")
            said = {"sqlstate": "57014", "message": "cancelled"}
        except (OSError, asyncpg.InterfaceError) as error:
            said = {"sqlstate": None, "message": str(error)}
        print(json.dumps(said, default=str), flush=True)

    while line := await lines.readline():
        command = json.loads(line)
        if "cancel" in command:
            task.cancel()
            continue
        if task is not None:
            await task
        task = asyncio.create_task(run(command))
    if task is not None:
        await task


asyncio.run(serve())
