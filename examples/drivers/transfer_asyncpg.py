# Debian: python3-asyncpg. python3 transfer_asyncpg.py
import asyncio
import json
import uuid
from decimal import Decimal

import asyncpg

TRANSFER = """SELECT status, from_balance, to_balance FROM lockstep.transfer(
    $1::text::regclass, $2::bigint, $3::bigint, $4::numeric, $5::uuid, memo => $6::jsonb)"""
BATCH = """SELECT item, status FROM lockstep.transfer_batch(
    $1::text::regclass, $2::bigint[], $3::bigint[], $4::numeric[], $5::uuid[])"""
AGAIN = """SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)"""


async def main():
    rent = uuid.uuid4()  # once for the intent
    session = await asyncpg.connect()
    memo = json.dumps({"for": "rent"})
    print(*await session.fetchrow(TRANSFER, "accounts", 1, 2, Decimal("30.00"), rent, memo))
    try:
        await session.fetchrow(TRANSFER, "accounts", 1, 2, Decimal(500), uuid.uuid4(), None)
    except asyncpg.PostgresError as error:
        print(error.sqlstate, error.detail)
    lists = [[1, 2], [2, 1], [Decimal(1), Decimal(1)], [uuid.uuid4(), uuid.uuid4()]]
    print(*(row["status"] for row in await session.fetch(BATCH, "accounts", *lists)))
    attempts, last_error, result = await session.fetchrow(
        "CALL lockstep.retry($1, params => $2)", AGAIN, ["1", "2", "30.00", str(rent)]
    )
    print(attempts, json.loads(result)[0]["status"])
    await session.close()


asyncio.run(main())
