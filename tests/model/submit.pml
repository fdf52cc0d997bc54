// The hand-over of calls between sessions, for CALL submit, which is to come and is to be built to this: whoever finds no leader
// leads, takes the calls that wait, and carries them out in one transaction; the others wait on
// their latches. What is atomic here is done under the lock of the queue. A call may be cancelled while it waits, a leader may die
// at any point; a session that dies does what its exit callback does.
//
//   SESSIONS, SLOTS, CALLS    how many sessions, places in the queue, calls of each session
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
#define NOBODY 255
#define NO_SLOT 255

mtype = {FREE, WAITING, TAKEN, LEFT, LEADS, DONE, ALONE, LOOK};

mtype state[SLOTS] = FREE;
byte owner[SLOTS];    // whose latch is set
byte request[SLOTS];  // whose request it is: LEFT has no owner any more
byte taken_by[SLOTS];
bool busy[SLOTS];     // this group does without it
bool latch[SESSIONS];
byte leader = NOBODY;
byte leading;         // sessions that carry out a group
byte booked[SESSIONS];
byte cancels = 1;     // how many may come, in all
byte deaths = 1;

// The lock is held. Somebody who waits leads from now on.
inline pass_on() {
    leader = NOBODY;
    j = 0;
    do
    :: j < SLOTS && leader == NOBODY && state[j] == WAITING ->
        state[j] = LEADS;
        leader = owner[j];
#ifndef FAULT_HEIR_SLEEPS
        latch[owner[j]] = true;
#endif
        j++
    :: j < SLOTS && !(leader == NOBODY && state[j] == WAITING) -> j++
    :: j == SLOTS -> break
    od
}

// What becomes of the calls of a group whose leader has not told the answers: their callers look by themselves.
inline let_go() {
    i = 0;
    do
    :: i < SLOTS && taken_by[i] == me && state[i] == TAKEN ->
        taken_by[i] = NOBODY;
        if
        :: owner[i] == me -> state[i] = FREE
        :: else -> state[i] = LOOK; latch[owner[i]] = true
        fi;
        i++
    :: i < SLOTS && taken_by[i] == me && state[i] == LEFT ->
        taken_by[i] = NOBODY; state[i] = FREE; i++
    :: i < SLOTS && !(taken_by[i] == me && (state[i] == TAKEN || state[i] == LEFT)) -> i++
    :: i == SLOTS -> break
    od
}

proctype session(byte me) {
    byte slot, i, j, calls = CALLS;
    bool told;

next_call:
    told = false;
    if
    :: calls == 0 -> goto gone
    :: else -> calls--
    fi;
    // Into the queue, and the first one leads. All in one step: or two would.
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
        state[slot] = WAITING;
        owner[slot] = me;
        request[slot] = me;
        taken_by[slot] = NOBODY;
        busy[slot] = false
    }
#ifdef FAULT_TWO_STEPS
    if
    :: leader == NOBODY -> skip
    :: else -> goto wait
    fi;
    atomic { leader = me; state[slot] = LEADS }
    goto lead;
#else
    atomic {
        if
        :: state[slot] == WAITING && leader == NOBODY -> leader = me; state[slot] = LEADS
        :: else -> goto wait
        fi
    }
    goto lead;
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
        :: state[slot] == DONE -> state[slot] = FREE; told = true
        :: state[slot] == ALONE || state[slot] == LOOK -> state[slot] = FREE; goto alone
        :: state[slot] == LEADS -> goto lead
        fi
    }
    // What he is told is true, and is about his own request.
    assert(booked[me] == CALLS - calls);
    goto next_call;

cancelled:
    // His call is withdrawn, unless it is taken; then it stands, and he may ask with the same id.
    atomic {
        if
        :: state[slot] == WAITING -> state[slot] = FREE
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
        :: state[slot] == DONE || state[slot] == ALONE || state[slot] == LOOK -> state[slot] = FREE
        fi
    }
    goto gone;

lead:
    atomic { leading++; assert(leading == 1) }
    atomic {
        i = 0;
        do
        :: i < SLOTS && (state[i] == WAITING || i == slot) ->
            state[i] = TAKEN; taken_by[i] = me;
            if
            :: busy[i] = false
            :: busy[i] = true // a row of it is in an outsider's hands
            fi;
            i++
        :: i < SLOTS && !(state[i] == WAITING || i == slot) -> i++
        :: i == SLOTS -> break
        od
    }
    if
    :: skip
    :: atomic { deaths > 0 -> deaths-- }; goto dies // before the commit
    fi;
    // The commit.
    atomic {
        i = 0;
        do
        :: i < SLOTS && taken_by[i] == me && !busy[i] -> booked[request[i]]++; assert(booked[request[i]] <= CALLS); i++
        :: i < SLOTS && !(taken_by[i] == me && !busy[i]) -> i++
        :: i == SLOTS -> break
        od
    }
    if
    :: skip
    :: atomic { deaths > 0 -> deaths-- }; goto dies // committed, and nobody is told
    fi;
    // Each is told by himself.
    i = 0;
    do
    :: i < SLOTS ->
        atomic {
            if
            :: taken_by[i] == me && i != slot ->
                taken_by[i] = NOBODY;
                if
                :: state[i] == LEFT -> state[i] = FREE
                :: state[i] == TAKEN ->
                    state[i] = (busy[i] -> ALONE : DONE);
                    latch[owner[i]] = true
                fi
            :: else
            fi
        };
        i++;
        if
        :: skip
        :: atomic { deaths > 0 -> deaths-- }; goto dies // some are told
        fi
    :: i == SLOTS -> break
    od;
    atomic {
        leading--;
        told = !busy[slot];
        taken_by[slot] = NOBODY;
        state[slot] = FREE;
#ifdef FAULT_NO_HEIR
        leader = NOBODY
#else
        pass_on()
#endif
    }
    if
    :: told -> assert(booked[me] == CALLS - calls); goto next_call
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

dies:
    atomic {
        leading--;
#ifdef FAULT_DEAD_TELLS_NOBODY
        state[slot] = FREE; taken_by[slot] = NOBODY;
#else
        let_go();
#endif
        pass_on()
    }
gone:
    skip
}

init {
    byte n = 0;
    atomic {
        do
        :: n < SLOTS -> taken_by[n] = NOBODY; n++
        :: else -> break
        od;
        n = 0;
        do
        :: n < SESSIONS -> run session(n); n++
        :: else -> break
        od
    }
}
