# Debian: python3-psycopg. python3 transfer_psycopg3.py
import uuid
from decimal import Decimal

import psycopg
from psycopg.types.json import Jsonb

TRANSFER = """SELECT status, from_balance, to_balance FROM lockstep.transfer(
    %s::text::regclass, %s::bigint, %s::bigint, %s::numeric, %s::uuid, memo => %s::jsonb)"""
BATCH = """SELECT item, status FROM lockstep.transfer_batch(
    %s::text::regclass, %s::bigint[], %s::bigint[], %s::numeric[], %s::uuid[])"""
AGAIN = """SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)"""

rent = uuid.uuid4()  # once for the intent
with psycopg.connect(autocommit=True) as session:
    arguments = ["accounts", 1, 2, Decimal("30.00"), rent, Jsonb({"for": "rent"})]
    print(*session.execute(TRANSFER, arguments).fetchone())
    try:
        session.execute(TRANSFER, ["accounts", 1, 2, Decimal(500), uuid.uuid4(), None])
    except psycopg.Error as error:
        print(error.sqlstate, error.diag.message_detail)
    lists = [[1, 2], [2, 1], [Decimal(1), Decimal(1)], [uuid.uuid4(), uuid.uuid4()]]
    print(*(row[1] for row in session.execute(BATCH, ["accounts", *lists])))
    attempts, last_error, result = session.execute(
        "CALL lockstep.retry(%s, params => %s)", [AGAIN, ["1", "2", "30.00", str(rent)]]
    ).fetchone()
    print(attempts, result[0]["status"])
