/* The order guard (extension/locking/order_guard.hpp): three transactions of several calls each, three rows, two ids, and
 * a savepoint each, which may be rolled back any number of times. Spin goes through every order of their steps: none ends
 * where somebody waits and nobody goes on, and what a transaction remembers is what it holds.
 *
 *   here                     there
 *   look                     answer_known_early, answer_known, answer_if_booked (transfer/known_requests.cpp)
 *   may_wait_for             check_may_wait; holds_nothing: with its has_booked
 *   not_above, must_try      not_above, rows_to_try
 *   lock, queue              store::lock, with SKIP LOCKED or without; the server's queue for a row
 *   remember                 hold_row, at the end of booking::lock() (transfer/batch.cpp)
 *   look in lock             booking::look_again(); with STATEMENTS, the spi store, before the rows are written
 *   append                   append_to_journal (transfer/journaling.cpp); with INSERT that of the spi store, for journals that are
 *                            not plain: it waits by itself, and does not ask the guard
 *   answer                   hold_answer_without_row, in booking::finish()
 *   release, roll_back       hand_over, give_back
 *   refused                  LS050: the transaction ends, or goes on from its savepoint
 *
 * An id has one content: a set of rows, CONTENT1 and CONTENT2, 0 where its row is not there (LS003). With REUSE each call may
 * use it for any one row or none: by mistake, or because one session sees a row and the other does not. The
 * savepoints are not nested: what an inner one took and released is the transaction's own for the guard. A prepared
 * transaction is one that ends later: it waits for nobody. Sizes and seeded faults are macros, see `run`. */

#define ROWS 3
#define IDS 2
#ifndef TRANSACTIONS
#define TRANSACTIONS 3
#endif
#ifndef CALLS
#define CALLS 2
#endif
#ifndef CALLS3
#define CALLS3 CALLS
#endif
#ifndef CONTENT1
#define CONTENT1 0
#endif
#ifndef CONTENT2
#define CONTENT2 0
#endif

#define has(set, n) (((set) & (1 << ((n) - 1))) != 0)
#define without(set, n) ((set) & ~(1 << ((n) - 1)))
#define first_of(set) ((set) & 1 -> 1 : ((set) & 2 -> 2 : 3))
#define row first_of(rows)
#define id first_of(ids)
#define content(i) ((i) == 1 -> CONTENT1 : CONTENT2)
#ifdef REUSE
#define NO_ROW(i) no_row
#else
#define NO_ROW(i) (content(i) == 0)
#endif

byte owner[ROWS + 1];      /* of a row: a transaction, or 0 */
bool row_in_sub[ROWS + 1]; /* taken since the savepoint */
chan queue[ROWS + 1] = [TRANSACTIONS] of { byte };
byte booker[IDS + 1];      /* who has the id in flight, or 0 */
bool id_in_sub[IDS + 1];
bool without_row[IDS + 1]; /* what is in flight is a refusal because there was no row */
bool booked[IDS + 1];      /* committed */
byte waits_for[TRANSACTIONS + 1]; /* an id, until the booking that was met is gone */

#define highest (sub_high != 0 -> sub_high : top_high)
#define highest_of_mine (owner[3] == me -> 3 : (owner[2] == me -> 2 : (owner[1] == me -> 1 : 0)))
#define has_answer(i) (booker[i] == me && without_row[i])

#ifdef FAULT_ROWS_AFTER_ANSWER
#define not_above(r) ((r) <= highest)
#else
#define not_above(r) (answer || (r) <= highest)
#endif
#ifdef FAULT_ID_WITH_NEW_ANSWER
#define holds_nothing (highest == 0)
#else
#define holds_nothing (highest == 0 && !new_answer)
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
#define may_wait_for(i) (without_row[i] || holds_nothing)
#else
#define may_wait_for(i) (!answer && (without_row[i] || holds_nothing))
#endif
#endif
#endif

hidden byte n, m;

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
            booked[n] = commits; booker[n] = 0; id_in_sub[n] = false; without_row[n] = false;
            for (m : 1 .. TRANSACTIONS) { waits_for[m] = (waits_for[m] == n -> 0 : waits_for[m]) }
        :: else
        fi
    };
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
    skip
}

inline release() {
    for (n : 1 .. ROWS) { row_in_sub[n] = row_in_sub[n] && owner[n] != me }
    for (n : 1 .. IDS) { id_in_sub[n] = id_in_sub[n] && booker[n] != me }
    top_high = highest; sub_high = 0;
    in_sub = false
}

inline take() { owner[row] = me; row_in_sub[row] = in_sub; last = row; rows = without(rows, row) }

inline remember() {
    if
    :: last == 0 || not_above(last)
    :: else ->
        if
        :: in_sub -> sub_high = last
        :: else -> top_high = last
        fi
    fi;
    last = 0
}

/* Who has booked the id himself, or finds it committed, has his answer; who finds it in flight waits until that one has
 * ended, where he may. What is left then is new. */
inline look(i) {
    do
    :: !has(ids, i) || (booker[i] == 0 && !booked[i]) -> break
    :: has(ids, i) && (booker[i] == me || booked[i]) -> ids = without(ids, i)
    :: has(ids, i) && booker[i] != 0 && booker[i] != me ->
        if
        :: may_wait_for(i) -> waits_for[me] = i; waits_for[me] == 0
        :: else -> goto refused
        fi
    od
}

proctype transaction(byte me; byte left) {
    byte top_high, sub_high;
    byte ids, rows, last; /* of the call: what is left of its ids and its rows; the last row that it took */
    bool in_sub, answer, new_answer, no_row;

idle:
    if
    :: atomic { left > 0 -> goto call }
    :: atomic { left > 0 && !in_sub -> in_sub = true; goto call }
    :: atomic { left > 0 && in_sub -> d_step { release() }; goto call }
    :: atomic { in_sub -> d_step { roll_back() }; goto called }
    :: atomic { d_step { undo(true, true) }; goto done }
    :: atomic { d_step { undo(true, false) }; goto done }
    fi;

call:
    atomic {
        left--;
        if
        :: rows = 1; goto lock
        :: rows = 2; goto lock
        :: rows = 4; goto lock
        :: ids = 1
        :: ids = 2
        :: ids = 3
        fi;
        look(1);
        look(2);
        if
        :: ids == 0 -> goto called
        :: else
        fi;
#ifdef REUSE
        if
        :: rows = 0
        :: rows = 1
        :: rows = 2
        :: rows = 4
        fi;
        no_row = rows == 0
#else
        rows = (has(ids, 1) -> content(1) : 0) | (has(ids, 2) -> content(2) : 0)
#endif
    };
    if
    :: rows == 0 -> goto append
    :: else
    fi;

lock:
    atomic {
        if
        :: owner[row] == me -> last = row; rows = without(rows, row)
        :: owner[row] == 0 -> take()
        :: else ->
            if
            :: must_try(row) -> goto refused
            :: else -> queue[row]!me; owner[row] == 0 && queue[row]?[eval(me)] -> queue[row]?eval(me); take()
            fi
        fi;
        if
        :: rows == 0 -> remember()
        :: else -> goto more
        fi;
        if
        :: ids == 0 -> goto called
        :: else
        fi
    };
#ifdef STATEMENTS
    atomic { look(1); look(2) };
#endif
    goto append;

more:
    skip; /* others may come in between */
    goto lock;

append:
    atomic {
        if
        :: ids == 0
        :: ids != 0 && booker[id] == 0 && !booked[id] ->
            booker[id] = me; id_in_sub[id] = in_sub; without_row[id] = NO_ROW(id);
            new_answer = new_answer || without_row[id];
            ids = without(ids, id)
        :: ids != 0 && (booked[id] || booker[id] == me) -> ids = without(ids, id)
        :: ids != 0 && booker[id] != 0 && booker[id] != me ->
#ifdef INSERT
            waits_for[me] = id; waits_for[me] == 0
#else
            look(id)
#endif
        fi;
        if
        :: ids == 0 ->
            answer = answer || new_answer;
            new_answer = false; no_row = false;
            goto called
        :: else
        fi
    };
    skip;
    goto append;

called:
    atomic {
        assert(answer || !(has_answer(1) || has_answer(2)));
        assert(answer || highest == highest_of_mine);
        goto idle
    };

refused:
    atomic {
        ids = 0; rows = 0; last = 0; new_answer = false; no_row = false;
        if
        :: in_sub -> d_step { roll_back() }; goto called
        :: d_step { undo(true, false) }
        fi
    };
done:
    atomic { left = 0; top_high = 0; sub_high = 0; answer = false; in_sub = false } /* of no use, and fewer states */
}

init {
    atomic {
        for (n : 1 .. TRANSACTIONS) { run transaction(n, (n == 3 -> CALLS3 : CALLS)) }
    }
}
