/*
 * Whose turn it is in the queue of CALL submit: which calls meet at a row, who can go on by whom,
 * and what a leader takes. All of it under the queue's lock.
 */
#ifndef LOCKSTEP_SUBMIT_TURNS_H
#define LOCKSTEP_SUBMIT_TURNS_H

#include "submit/slots.h"

/* The memory of the two that go through those who wait. Before them, once in a session. */
void lockstep_submit_prepare_turns(void);

/* The first of a list that has one of these rows; NONE where there is none. */
int32 lockstep_submit_first_with_rows(const slot_list *list, const uint32 rows[2]);

/* The slot whose session works on this one at work. */
int32 lockstep_submit_leader_of(int32 slot);

/* The heir of this call's group, who has not taken yet. */
int32 lockstep_submit_heir_of(int32 slot);

/*
 * Makes leaders of those who wait and can go on now: one of each group, the first that has come.
 * Those who are kept from their rows keep these for themselves, so that nobody is passed over for
 * ever. `leads` is told of each of them.
 */
void lockstep_submit_pass_on(void (*leads)(int32 slot));

/*
 * Takes for this leader the calls of its group that are in nobody's way. Into `taken`, which has
 * room for all; how many.
 */
int lockstep_submit_take_group(int32 leader, int32 *taken);

#endif
