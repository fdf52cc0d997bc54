# A transfer that is tried again after a conflict, with asyncpg (Debian: python3-asyncpg): python3 transfer_asyncpg.py
import asyncio
import asyncpg
import json

TRANSFER = """SELECT status, from_balance::text, to_balance::text
                FROM lockstep.transfer('accounts', $1, $2, $3, lockstep.request_id($4))"""


async def transfer(intent):
    session = await asyncpg.connect()
    # The intent makes the request id: a second run has the same one, and moves nothing.
    attempts, last_error, result = await session.fetchrow(
        "CALL lockstep.retry($1, params => $2)", TRANSFER, ["1", "2", "30.00", intent]
    )
    await session.close()
    print("attempts:", attempts)
    print("result:", *json.loads(result)[0].values())


asyncio.run(transfer("rent 2026-11"))
