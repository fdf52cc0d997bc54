// The hand-over of calls between sessions in CALL submit (extension/submit/queue.c, turns.c). A call whose rows nobody in the queue works
// on leads at once; any other waits on its latch, until whoever works on its rows has ended his transaction and makes one of
// those who wait the next leader. That one takes all that wait and meet nobody else's rows. What is atomic here is done under the
// lock of the queue. A call may be cancelled while it waits, a leader may die at any point; the end of its transaction tells the
// others.
//
//   SESSIONS, SLOTS, CALLS    how many sessions, places in the queue, calls of each session
//   CANCELS, DEATHS           how many calls may be cancelled while they wait, and how many leaders may die
//   FAULT_...                 seeded faults, each of which has to be found
#ifndef SESSIONS
#define SESSIONS 3
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef CALLS
#define CALLS 1
#endif
#ifndef CANCELS
#define CANCELS 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifdef FAULT_DEAD_TELLS_NOBODY
#define DEAD_TELLS false
#else
#define DEAD_TELLS true
#endif
#define NOBODY 255
#define NO_SLOT 255
#define ROWS 2

mtype = {FREE, WAITING, LEADS, TAKEN, LEFT, TOLD};

mtype state[SLOTS] = FREE;
byte owner[SLOTS];    // whose latch is set
byte request[SLOTS];  // whose request it is: LEFT has no owner any more
byte rows[SLOTS];     // which rows it wants: 1, 2, or 3 for both
byte taken_by[SLOTS]; // the slot of the leader
bool is_heir[SLOTS];  // leads, and has not taken yet
bool busy[SLOTS];     // this group does without it
bool answered[SLOTS]; // of TOLD: it was carried out, or else it has to look
bool latch[SESSIONS];
byte working[ROWS];   // who carries out calls for this row
byte booked[SESSIONS];
byte cancels = CANCELS;
byte deaths = DEATHS;

// Of those at work and no followers of this slot, nor itself, the rows: into `mask`.
inline rows_at_work(but) {
    mask = 0;
    k = 0;
    do
    :: k < SLOTS ->
        if
        :: state[k] == LEADS && k != but -> mask = mask | rows[k]
        :: (state[k] == TAKEN || state[k] == LEFT) && taken_by[k] != but -> mask = mask | rows[k]
        :: else
        fi;
        k++
    :: k == SLOTS -> break
    od
}

// The lock is held. Of those who wait, one that can go on leads from now on; others that can are for it to take.
inline pass_on() {
    heir = NO_SLOT;
    k = 0;
    do
    :: k < SLOTS ->
        if
        :: state[k] == LEADS && is_heir[k] -> heir = k
        :: else
        fi;
        k++
    :: k == SLOTS -> break
    od;
    kept = 0;
    j = 0;
    do
    :: j < SLOTS ->
        if
        :: state[j] == WAITING ->
            rows_at_work(heir);
            if
            :: rows[j] & (mask | kept) -> kept = kept | rows[j]
            :: !(rows[j] & (mask | kept)) && heir == NO_SLOT ->
                state[j] = LEADS;
                is_heir[j] = true;
                heir = j;
#ifndef FAULT_HEIR_SLEEPS
                latch[owner[j]] = true
#endif
            :: else
            fi
        :: else
        fi;
        j++
    :: j == SLOTS -> break
    od
}

// The leader's transaction has ended. The lock is held.
inline end_of_group(committed) {
    i = 0;
    do
    :: i < SLOTS ->
        if
        :: (mine & (1 << i)) && state[i] == LEFT -> taken_by[i] = NO_SLOT; state[i] = FREE
        :: (mine & (1 << i)) && state[i] != LEFT ->
            taken_by[i] = NO_SLOT;
            if
#ifdef FAULT_DEAD_TELLS_NOBODY
            :: !committed
#endif
            :: committed || DEAD_TELLS ->
                answered[i] = committed && !busy[i];
                state[i] = TOLD;
                latch[owner[i]] = true
            fi
        :: else
        fi;
        i++
    :: i == SLOTS -> break
    od;
    mine = 0;
    i = 0;
    do
    :: i < ROWS -> working[i] = (working[i] == me -> NOBODY : working[i]); i++
    :: i == ROWS -> break
    od;
    state[slot] = FREE;
#ifndef FAULT_NO_HEIR
    pass_on()
#endif
}

proctype session(byte me) {
    byte slot, i, j, k, mask, kept, heir, calls = CALLS;
    byte wanted, mine; // slots that this leader has taken
    bool told;

next_call:
    told = false;
    if
    :: calls == 0 -> goto gone
    :: else -> calls--
    fi;
    if
    :: wanted = 1
    :: wanted = 2
    :: wanted = 3
    fi;
    // Into the queue. All in one step: or two would lead for one row.
    atomic {
        slot = NO_SLOT;
        i = 0;
        do
        :: i < SLOTS && slot == NO_SLOT && state[i] == FREE -> slot = i; i++
        :: i < SLOTS && !(slot == NO_SLOT && state[i] == FREE) -> i++
        :: i == SLOTS -> break
        od;
        if
        :: slot == NO_SLOT -> goto alone
        :: else
        fi;
        rows_at_work(NO_SLOT);
        k = 0;
        do
        :: k < SLOTS ->
            if
            :: state[k] == WAITING -> mask = mask | rows[k]
            :: else
            fi;
            k++
        :: k == SLOTS -> break
        od;
        owner[slot] = me;
        request[slot] = me;
        rows[slot] = wanted;
        taken_by[slot] = NO_SLOT;
        is_heir[slot] = false;
        busy[slot] = false;
        answered[slot] = false;
#ifndef FAULT_TWO_STEPS
        if
        :: mask & wanted -> state[slot] = WAITING; goto wait
        :: else -> state[slot] = LEADS; goto work
        fi
#endif
    }
#ifdef FAULT_TWO_STEPS
    if
    :: mask & wanted -> state[slot] = WAITING; goto wait
    :: else -> state[slot] = LEADS; goto work
    fi;
#endif

wait:
#ifndef FAULT_RESET_LATE
    latch[me] = false;
#endif
    if
    :: state[slot] != WAITING && state[slot] != TAKEN -> goto awake
    :: else
    fi;
#ifdef FAULT_RESET_LATE
    latch[me] = false;
#endif
    if
    :: latch[me] -> goto wait
    :: atomic { cancels > 0 -> cancels-- };
        goto cancelled
    fi;

awake:
    atomic {
        if
        :: state[slot] == TOLD -> told = answered[slot]; state[slot] = FREE
        :: state[slot] == LEADS -> goto take
        fi
    }
    if
    :: told -> goto done
    :: else -> goto alone
    fi;

cancelled:
    // His call is withdrawn, unless it is taken; then it stands, and he may ask with the same id.
    atomic {
        if
        :: state[slot] == WAITING ->
            state[slot] = FREE;
            pass_on()
#ifdef FAULT_LEFT_IS_FREE
        :: state[slot] == TAKEN -> state[slot] = FREE
#else
        :: state[slot] == TAKEN -> state[slot] = LEFT
#endif
        :: state[slot] == LEADS ->
            state[slot] = FREE;
#ifndef FAULT_HEIR_LEAVES
            pass_on()
#endif
        :: state[slot] == TOLD -> state[slot] = FREE
        fi
    }
    goto gone;

take:
    if
    :: skip
    :: atomic { deaths > 0 -> deaths-- }; goto dies // before it has taken
    fi;
    atomic {
        kept = 0;
        i = 0;
        do
        :: i < SLOTS ->
            if
            :: state[i] == WAITING ->
                rows_at_work(slot);
                if
#ifndef FAULT_TAKES_ALL
                :: rows[i] & (mask | kept) -> kept = kept | rows[i]
#endif
                :: else ->
                    state[i] = TAKEN;
                    taken_by[i] = slot;
                    mine = mine | (1 << i);
                    if
                    :: busy[i] = false
                    :: busy[i] = true // a row of it is in an outsider's hands
                    fi
                fi
            :: else
            fi;
            i++
        :: i == SLOTS -> break
        od;
        is_heir[slot] = false;
        pass_on()
    }

work:
    // It works on the rows of its group, and nobody else does.
    atomic {
        i = 0;
        do
        :: i < SLOTS ->
            if
            :: i == slot || (mine & (1 << i)) ->
                j = 0;
                do
                :: j < ROWS ->
                    if
                    :: rows[i] & (1 << j) ->
                        assert(working[j] == NOBODY || working[j] == me);
                        working[j] = me
                    :: else
                    fi;
                    j++
                :: j == ROWS -> break
                od
            :: else
            fi;
            i++
        :: i == SLOTS -> break
        od
    }
    if
    :: busy[slot] = false
    :: busy[slot] = true
    fi;
    if
    :: skip
    :: atomic { deaths > 0 -> deaths-- }; goto dies // before the commit
    fi;
    // The commit; the others are told when it is done, by the server's own end of the transaction.
    atomic {
        i = 0;
        do
        :: i < SLOTS ->
            if
            :: (i == slot || (mine & (1 << i))) && !busy[i] ->
                booked[request[i]]++;
                assert(booked[request[i]] <= CALLS)
            :: else
            fi;
            i++
        :: i == SLOTS -> break
        od
    }
    if
    :: skip
    :: atomic { deaths > 0 -> deaths-- }; goto dies // committed, and nobody is told
    fi;
    atomic {
        told = !busy[slot];
        end_of_group(true)
    }
    if
    :: told -> goto done
    :: else
    fi;

alone:
    // By himself, by his id: what is booked already is replayed.
    atomic {
        if
        :: booked[me] == CALLS - calls
        :: booked[me] < CALLS - calls -> booked[me]++
        fi
    }
    goto next_call;

done:
    // What he is told is true, and is about his own request.
    assert(booked[me] == CALLS - calls);
    goto next_call;

dies:
    atomic { end_of_group(false) }
gone:
    skip
}

init {
    byte n = 0;
    atomic {
        do
        :: n < SLOTS -> taken_by[n] = NO_SLOT; n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < ROWS -> working[n] = NOBODY; n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < SESSIONS -> run session(n); n++
        :: else -> break
        od
    }
}
