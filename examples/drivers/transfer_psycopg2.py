# Debian: python3-psycopg2. python3 transfer_psycopg2.py
import uuid
from decimal import Decimal

import psycopg2
from psycopg2.extras import Json

TRANSFER = """SELECT status, from_balance, to_balance FROM lockstep.transfer(
    %s::text::regclass, %s::bigint, %s::bigint, %s::numeric, %s::uuid, memo => %s::jsonb)"""
BATCH = """SELECT item, status FROM lockstep.transfer_batch(
    %s::text::regclass, %s::bigint[], %s::bigint[], %s::numeric[], %s::uuid[])"""
AGAIN = """SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)"""

rent = str(uuid.uuid4())  # once for the intent
session = psycopg2.connect("")
session.autocommit = True
with session.cursor() as cursor:
    cursor.execute(TRANSFER, ["accounts", 1, 2, Decimal("30.00"), rent, Json({"for": "rent"})])
    print(*cursor.fetchone())
    try:
        cursor.execute(TRANSFER, ["accounts", 1, 2, Decimal(500), str(uuid.uuid4()), None])
    except psycopg2.Error as error:
        print(error.pgcode, error.diag.message_detail)
    ids = [str(uuid.uuid4()), str(uuid.uuid4())]
    cursor.execute(BATCH, ["accounts", [1, 2], [2, 1], [Decimal(1), Decimal(1)], ids])
    print(*(row[1] for row in cursor))
    cursor.execute("CALL lockstep.retry(%s, params => %s)", [AGAIN, ["1", "2", "30.00", rent]])
    attempts, last_error, result = cursor.fetchone()
    print(attempts, result[0]["status"])
session.close()
