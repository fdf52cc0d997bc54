/* Ids of once_begin beside rows and ids of a journal: three transactions of several calls each, two ids of once_begin, two rows and one
 * id of a journal, which is booked with row 1 in hand. Spin goes through every order of their steps: none ends where somebody waits
 * and nobody goes on.
 *
 *   here              there
 *   begin             begin_request (once/once.cpp)
 *   may_wait_for      check_may_wait_for_request (locking/order_guard.cpp), held_not_below (once/held_requests.cpp)
 *   book, lock        as in order_guard.pml, which has them in full
 *
 * Whether an id is done, and what savepoints give back, is not the model's: it only leaves fewer waits. Seeded faults are macros, see
 * `run`. */

#ifndef TRANSACTIONS
#define TRANSACTIONS 3
#endif
#ifndef CALLS
#define CALLS 3
#endif

byte worker[3]; /* of an id: the transaction that has it in hand, or 0 */
byte owner[3];  /* of a row */
byte booker;    /* of the journal's id */

#define highest (owner[2] == me -> 2 : (owner[1] == me -> 1 : 0))
#define holds_rows (highest != 0)
#ifdef FAULT_ANY_ORDER
#define holds_not_below(i) false
#else
#define holds_not_below(i) (worker[2] == me && (i) == 1)
#endif
#ifdef FAULT_WITH_ROWS
#define may_wait_for(i) (!holds_not_below(i))
#else
#define may_wait_for(i) (!holds_rows && !holds_not_below(i))
#endif

inline begin(i) {
    if
    :: worker[i] == me || worker[i] == 0 -> worker[i] = me
    :: worker[i] != 0 && worker[i] != me ->
        if
        :: may_wait_for(i) -> worker[i] == 0 -> worker[i] = me
        :: else -> goto ended
        fi
    fi
}

inline lock(r) {
    if
    :: owner[r] == me || owner[r] == 0 -> owner[r] = me
    :: owner[r] != 0 && owner[r] != me ->
        if
        :: r > highest -> owner[r] == 0 -> owner[r] = me
        :: else -> goto ended
        fi
    fi
}

/* The journal's id in flight elsewhere is waited for where no row is held, whatever ids of once_begin are. */
inline look() {
    if
    :: booker == 0 || booker == me
    :: booker != 0 && booker != me ->
        if
        :: !holds_rows -> booker == 0
        :: else -> goto ended
        fi
    fi
}

proctype transaction(byte me) {
    byte left = CALLS;
    do
    :: left == 0 -> break
    :: left > 0 ->
        left--;
        if
        :: atomic { begin(1) }
        :: atomic { begin(2) }
        :: atomic { lock(1) }
        :: atomic { lock(2) }
        :: atomic { look() };
            atomic { lock(1) };
            atomic {
                look();
                booker = me
            }
        fi
    od;
ended:
    skip;
    atomic {
        worker[1] = (worker[1] == me -> 0 : worker[1]);
        worker[2] = (worker[2] == me -> 0 : worker[2]);
        owner[1] = (owner[1] == me -> 0 : owner[1]);
        owner[2] = (owner[2] == me -> 0 : owner[2]);
        booker = (booker == me -> 0 : booker);
        left = 0
    }
}

init {
    byte n;
    atomic {
        for (n : 1 .. TRANSACTIONS) { run transaction(n) }
    }
}
