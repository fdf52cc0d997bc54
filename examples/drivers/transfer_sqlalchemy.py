# Debian: python3-sqlalchemy, python3-psycopg2. python3 transfer_sqlalchemy.py
import json
import uuid
from decimal import Decimal

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

# text() takes :name::type for no parameter, so the casts are written out.
TRANSFER = text("""SELECT status, from_balance, to_balance FROM lockstep.transfer(
    CAST(CAST(:ledger AS text) AS regclass), CAST(:from_key AS bigint), CAST(:to_key AS bigint),
    CAST(:amount AS numeric), CAST(:id AS uuid), memo => CAST(:memo AS jsonb))""")
BATCH = text("""SELECT item, status FROM lockstep.transfer_batch(
    CAST(CAST(:ledger AS text) AS regclass), CAST(:from_keys AS bigint[]),
    CAST(:to_keys AS bigint[]), CAST(:amounts AS numeric[]), CAST(:ids AS uuid[]))""")
AGAIN = """SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)"""

rent = str(uuid.uuid4())  # once for the intent
rows = {"ledger": "accounts", "from_key": 1, "to_key": 2}
engine = create_engine("postgresql+psycopg2://")
# As a part of a transaction of yours: it commits at the end of the block.
with engine.begin() as session:
    memo = json.dumps({"for": "rent"})
    print(*session.execute(TRANSFER, {**rows, "amount": Decimal(30), "id": rent, "memo": memo}).one())
try:
    with engine.begin() as session:
        more = {"amount": Decimal(500), "id": str(uuid.uuid4()), "memo": None}
        session.execute(TRANSFER, {**rows, **more})
except DBAPIError as error:
    print(error.orig.pgcode, error.orig.diag.message_detail)
with engine.begin() as session:
    lists = {"from_keys": [1, 2], "to_keys": [2, 1], "amounts": [Decimal(1), Decimal(1)]}
    ids = [str(uuid.uuid4()), str(uuid.uuid4())]
    paid = session.execute(BATCH, {"ledger": "accounts", "ids": ids, **lists})
    print(*(row.status for row in paid))
# CALL retry needs autocommit. SQLAlchemy gives a connection back to the pool as it was.
with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
    attempts, last_error, result = session.execute(
        text("CALL lockstep.retry(:statement, params => :params)"),
        {"statement": AGAIN, "params": ["1", "2", "30.00", rent]},
    ).one()
    print(attempts, result[0]["status"])
