# Debian: python3-psycopg. python3 loop_psycopg3.py REQUEST_ID
import random
import sys
import time
import uuid
from decimal import Decimal

import psycopg

TRANSFER = """SELECT status, from_balance, to_balance FROM lockstep.transfer(
    %s::text::regclass, %s::bigint, %s::bigint, %s::numeric, %s::uuid)"""


def in_one_transaction(session, work, request_id):
    with session.transaction():
        return work(session, request_id)


def until_it_is_known(work, request_id, attempts=10):
    """The same id in each attempt: what has happened already is answered, not done again."""
    session = None
    for attempt in range(1, attempts + 1):
        try:
            if session is None:
                session = psycopg.connect(autocommit=True)
            return in_one_transaction(session, work, request_id)
        except psycopg.OperationalError as error:
            # 40001, 40P01 and LS050: it was undone. Else the session is lost, with a commit in doubt or not.
            undone = error.sqlstate in ("40001", "40P01", "LS050")
            lost = session is None or session.closed
            if not (undone or lost) or attempt == attempts:
                raise
            if lost:
                session = None
            print("again after", error.sqlstate or "a lost connection", file=sys.stderr)
            time.sleep(random.uniform(0, min(0.25, 0.004 * 2**attempt)))


def pay(session, request_id):
    arguments = ["accounts", 1, 2, Decimal("30.00"), request_id]
    return session.execute(TRANSFER, arguments).fetchone()


if __name__ == "__main__":
    # From the caller, or made and stored before the first attempt.
    print(*until_it_is_known(pay, uuid.UUID(sys.argv[1])))
