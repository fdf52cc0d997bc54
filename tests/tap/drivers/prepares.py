# A program that prepares each statement in the server, through a pooler: prints what becomes of its calls.
#   prepares.py CONNINFO HOW      HOW is named or unnamed
import sys
import uuid

import psycopg

named = 0 if sys.argv[2] == "named" else None
TRANSFER = "SELECT status FROM lockstep.transfer(%s::text::regclass, %s::bigint, %s::bigint, %s::numeric, %s::uuid)"
sessions = [psycopg.connect(sys.argv[1], autocommit=True, prepare_threshold=named) for _ in range(2)]
states = []
for turn in range(4):
    # While the other session has a transaction open, this one gets the other server.
    for mine, other in (sessions, sessions[::-1]):
        try:
            with other.transaction():
                other.execute("SELECT 1", prepare=False)
                row = mine.execute(TRANSFER, ["accounts", 1, 2, "1", uuid.uuid4()]).fetchone()
            states.append(row[0])
        except psycopg.Error as error:
            states.append(error.sqlstate)
print(*sorted(set(states)))
