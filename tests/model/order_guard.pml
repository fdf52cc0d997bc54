/* The order guard (extension/locking/order_guard.hpp): three transactions of several calls each, three rows, two ids, and
 * a savepoint each, which may be rolled back any number of times. Spin goes through every order of their steps: none ends
 * where somebody waits and nobody goes on, and what a transaction remembers is what it holds.
 *
 *   here                        there
 *   look                        answer_known_early, answer_known (transfer/known_requests.cpp)
 *   may_wait_for                check_may_wait
 *   not_above, must_try         not_above, rows_to_try
 *   lock, queue                 store::lock, with SKIP LOCKED or without; the server's queue for a row
 *   remember                    hold_row, at the end of booking::lock() (transfer/batch.cpp)
 *   book                        append_to_journal (transfer/journaling.cpp); with STATEMENTS the INSERT of the spi
 *                               store, which waits by itself, and does not ask the guard
 *   top_answer, sub_answer      hold_answer_without_row, in booking::finish()
 *   release, roll_back          hand_over, give_back
 *   refused                     LS050: the transaction ends, or goes on from its savepoint
 *
 * An id has one content: a set of rows, 0 where its row is not there (LS003). With REUSE each call may use it for any one
 * row, by mistake. A prepared transaction is one that ends later: it waits for nobody. Sizes and seeded faults are macros,
 * see `run`. */

#define ROWS 3
#define IDS 2
#ifndef TRANSACTIONS
#define TRANSACTIONS 3
#endif
#ifndef CALLS
#define CALLS 2
#endif
#ifndef CONTENT1
#define CONTENT1 0
#endif
#ifndef CONTENT2
#define CONTENT2 0
#endif

#define has(set, n) (((set) & (1 << ((n) - 1))) != 0)
#define without(set, n) ((set) & ~(1 << ((n) - 1)))
#define content(i) ((i) == 1 -> CONTENT1 : CONTENT2)

byte owner[ROWS + 1];      /* of a row: a transaction, or 0 */
bool row_in_sub[ROWS + 1]; /* taken since the savepoint */
chan queue[ROWS + 1] = [TRANSACTIONS] of { byte };
byte booker[IDS + 1];      /* who has the id in flight, or 0 */
bool id_in_sub[IDS + 1];
bool without_row[IDS + 1]; /* what is in flight is a refusal because there was no row */
bool booked[IDS + 1];      /* committed */

#define highest (sub_high != 0 -> sub_high : top_high)
#define answer (top_answer || sub_answer)
#define highest_of_mine (owner[3] == me -> 3 : (owner[2] == me -> 2 : (owner[1] == me -> 1 : 0)))
#define has_answer(i) (booker[i] == me && without_row[i])

#ifdef FAULT_ROWS_AFTER_ANSWER
#define not_above(r) ((r) <= highest)
#else
#define not_above(r) (answer || (r) <= highest)
#endif
#ifdef NO_GUARD
#define must_try(r) false
#define may_wait_for(i) true
#else
#define must_try(r) not_above(r)
#ifdef FAULT_ID_WITH_ROWS
#define may_wait_for(i) (!answer)
#else
#ifdef FAULT_ID_WITH_ANSWER
#define may_wait_for(i) (without_row[i] || (highest == 0 && !answer))
#else
#define may_wait_for(i) (!answer && (without_row[i] || highest == 0))
#endif
#endif
#endif

/* Ends what was done, all of it or what came after the savepoint. */
inline undo(all, commits) {
    for (n : 1 .. ROWS) {
        if
        :: owner[n] == me && (all || row_in_sub[n]) -> owner[n] = 0; row_in_sub[n] = false
        :: else
        fi
    }
    for (n : 1 .. IDS) {
        if
        :: booker[n] == me && (all || id_in_sub[n]) ->
            booked[n] = commits; booker[n] = 0; id_in_sub[n] = false; without_row[n] = false
        :: else
        fi
    }
    n = 0
}

inline roll_back() {
    undo(false, false);
#ifndef FAULT_GIVES_BACK_NOTHING
    sub_high = 0;
#endif
#ifdef FAULT_GIVES_BACK_ALL
    top_high = 0;
#endif
    sub_answer = false
}

inline release() {
    for (n : 1 .. ROWS) { row_in_sub[n] = row_in_sub[n] && owner[n] != me }
    for (n : 1 .. IDS) { id_in_sub[n] = id_in_sub[n] && booker[n] != me }
    n = 0;
    top_high = highest; sub_high = 0;
    top_answer = answer; sub_answer = false;
    in_sub = false
}

inline take(r) { owner[r] = me; row_in_sub[r] = in_sub; last = r }

inline remember() {
    if
    :: last != 0 && !not_above(last) ->
        if
        :: in_sub -> sub_high = last
        :: else -> top_high = last
        fi
    :: else
    fi
}

/* Waits until the one who is booking the id has ended, where that is allowed. */
inline wait_for(i) {
    other = booker[i];
    if
    :: may_wait_for(i) -> booker[i] != other; other = 0
    :: else -> other = 0; goto refused
    fi
}

proctype transaction(byte me) {
    byte calls, n, top_high, sub_high, other;
    byte ids, rows, id, row, last; /* of the call: what is left of its ids, its rows; the ones at hand; the last one taken */
    bool in_sub, top_answer, sub_answer, new_answer;

idle:
    d_step {
        assert(answer == (has_answer(1) || has_answer(2)));
        assert(answer || highest == highest_of_mine)
    };
    if
    :: atomic {
            calls < CALLS -> calls++;
            if
            :: ids = 0; select(rows : 1 .. 6)
            :: select(ids : 1 .. 3)
            fi
        };
        goto look
    :: atomic { !in_sub && calls < CALLS -> in_sub = true }; goto idle
    :: d_step { in_sub && calls < CALLS -> release() }; goto idle
    :: d_step { in_sub -> roll_back() }; goto idle
    :: d_step { calls > 0 -> undo(true, true) }; goto done
    :: d_step { calls > 0 -> undo(true, false) }; goto done
    fi;

look:
    if
    :: ids == 0 -> goto lock
    :: else
    fi;
    for (id : 1 .. IDS) {
        do
        :: atomic { !has(ids, id) || (booker[id] == 0 && !booked[id]) -> break }
        :: atomic { has(ids, id) && (booker[id] == me || booked[id]) -> ids = without(ids, id) }
        :: atomic { has(ids, id) && booker[id] != 0 && booker[id] != me -> wait_for(id) }
        od
    };
    d_step {
        id = 0;
        if
        :: has(ids, 1) -> rows = content(1)
        :: else
        fi;
        if
        :: has(ids, 2) -> rows = rows | content(2)
        :: else
        fi
    };
    if
    :: ids == 0 -> goto idle
    :: else
    fi;
#ifdef REUSE
    select(row : 0 .. ROWS);
    d_step { rows = (row == 0 -> 0 : 1 << (row - 1)); row = 0 };
#endif

lock:
    for (row : 1 .. ROWS) {
        if
        :: !has(rows, row)
        :: atomic { has(rows, row) && (owner[row] == 0 || owner[row] == me) ->
            if
            :: owner[row] == 0 -> take(row)
            :: else -> last = row
            fi }
        :: atomic { has(rows, row) && owner[row] != 0 && owner[row] != me && must_try(row) -> goto refused }
        :: atomic { has(rows, row) && owner[row] != 0 && owner[row] != me && !must_try(row) -> queue[row]!me };
            atomic { owner[row] == 0 && queue[row]?[eval(me)] -> queue[row]?eval(me); take(row) }
        fi
    };
    d_step { row = 0; remember(); last = 0; rows = 0 };

#ifdef STATEMENTS
    for (id : 1 .. IDS) {
        do
        :: atomic { !has(ids, id) || (booker[id] == 0 && !booked[id]) -> break }
        :: atomic { has(ids, id) && (booker[id] == me || booked[id]) -> ids = without(ids, id) }
        :: atomic { has(ids, id) && booker[id] != 0 && booker[id] != me -> wait_for(id) }
        od
    };
#endif
    for (id : 1 .. IDS) {
        do
        :: atomic { !has(ids, id) -> break }
        :: d_step { has(ids, id) && booked[id] -> ids = without(ids, id) }
        :: d_step { has(ids, id) && booker[id] == 0 && !booked[id] ->
            booker[id] = me; id_in_sub[id] = in_sub; ids = without(ids, id);
#ifdef REUSE
            without_row[id] = false;
#else
            without_row[id] = content(id) == 0;
#endif
            new_answer = new_answer || without_row[id] }
#ifdef STATEMENTS
        :: atomic { has(ids, id) && booker[id] != 0 -> other = booker[id] };
            atomic { booker[id] != other -> other = 0 }
#else
        :: atomic { has(ids, id) && booker[id] != 0 -> wait_for(id) }
#endif
        od
    };
    d_step {
        id = 0;
        if
        :: new_answer && in_sub -> sub_answer = true
        :: new_answer && !in_sub -> top_answer = true
        :: else
        fi;
        new_answer = false
    };
    goto idle;

refused:
    d_step { ids = 0; rows = 0; id = 0; row = 0; last = 0; new_answer = false };
    if
    :: d_step { in_sub -> roll_back() }; goto idle
    :: d_step { undo(true, false) }
    fi;
done:
    skip
}

init {
    atomic {
        byte i;
        for (i : 1 .. TRANSACTIONS) { run transaction(i) }
    }
}
