# A transfer that is tried again after a conflict, with psycopg 3 (Debian: python3-psycopg): python3 transfer_psycopg.py
import psycopg

TRANSFER = """SELECT status, from_balance::text, to_balance::text
                FROM lockstep.transfer('accounts', $1, $2, $3, lockstep.request_id($4))"""

# The intent makes the request id: a second run has the same one, and moves nothing.
intent = "rent 2026-11"
with psycopg.connect(autocommit=True) as session:
    attempts, last_error, result = session.execute(
        "CALL lockstep.retry(%s, params => %s)", [TRANSFER, ["1", "2", "30.00", intent]]
    ).fetchone()
print("attempts:", attempts)
print("result:", *result[0].values())
