# Debian: python3-django, python3-psycopg2. PGHOST, PGPORT, PGUSER and PGDATABASE set: python3 transfer_django.py
import json
import os
import uuid
from decimal import Decimal

from django.conf import settings

settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": os.environ["PGHOST"],
    "PORT": os.environ["PGPORT"],
    "USER": os.environ["PGUSER"],
    "NAME": os.environ["PGDATABASE"],
}})

from django.db import Error, connection, transaction  # noqa: E402, behind its settings

TRANSFER = """SELECT status, from_balance, to_balance FROM lockstep.transfer(
    %s::text::regclass, %s::bigint, %s::bigint, %s::numeric, %s::uuid, memo => %s::jsonb)"""
BATCH = """SELECT item, status FROM lockstep.transfer_batch(
    %s::text::regclass, %s::bigint[], %s::bigint[], %s::numeric[], %s::uuid[])"""
AGAIN = """SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)"""

rent = str(uuid.uuid4())  # once for the intent
with connection.cursor() as cursor:
    # As a part of a transaction of yours.
    with transaction.atomic():
        memo = json.dumps({"for": "rent"})
        cursor.execute(TRANSFER, ["accounts", 1, 2, Decimal("30.00"), rent, memo])
        print(*cursor.fetchone())
    try:
        cursor.execute(TRANSFER, ["accounts", 1, 2, Decimal(500), str(uuid.uuid4()), None])
    except Error as error:
        print(error.__cause__.pgcode, error.__cause__.diag.message_detail)
    ids = [str(uuid.uuid4()), str(uuid.uuid4())]
    cursor.execute(BATCH, ["accounts", [1, 2], [2, 1], [Decimal(1), Decimal(1)], ids])
    print(*(row[1] for row in cursor.fetchall()))
    # Not inside atomic(), and in a view only with @transaction.non_atomic_requests.
    cursor.execute("CALL lockstep.retry(%s, params => %s)", [AGAIN, ["1", "2", "30.00", rent]])
    attempts, last_error, result = cursor.fetchone()
    print(attempts, result[0]["status"])
