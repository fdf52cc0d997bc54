/*
 * The queue of CALL submit: calls of many sessions in shared memory, and who carries them out. A
 * call whose rows nobody else in the queue works on leads at once. Any other waits, until whoever
 * works on its rows has ended his transaction and makes one of those who wait the next leader; that
 * one takes all that wait and meet nobody else's rows.
 *
 * tests/model/submit.pml is the model of this; what is one step there is done under the queue's
 * lock here. The hand-over is tied to the end of the leader's transaction, however it ends: then
 * the followers are told what was written down for them, or that they have to look for themselves.
 *
 * Rows are known by hashes here. Two rows with one hash only wait for each other; one row with two
 * hashes is met where it is locked.
 */
#ifndef LOCKSTEP_SUBMIT_QUEUE_H
#define LOCKSTEP_SUBMIT_QUEUE_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include "submit/call.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum submit_turn { SUBMIT_LEADS, SUBMIT_WAITS, SUBMIT_QUEUE_FULL } submit_turn;

/* When the module is loaded; preloaded, asks for the memory as well. */
void lockstep_install_submit_queue(void);

/* Whether there is a queue at all. */
bool lockstep_has_submit_queue(void);

/* Whether this session holds locks that outlive transactions: such a one must not wait here. */
bool lockstep_holds_session_locks(void);

/*
 * Into the queue, where this session has no call yet. Who leads works in the transaction that he is
 * in, for himself; who waits must leave his.
 */
submit_turn lockstep_submit_join(const submit_call *call);

/*
 * Waits until this session's call was carried out (true: the answer is copied, and the call is out
 * of the queue), or until it leads (false). Raises for a cancel, a timeout or the end of the
 * session, with the call still in the queue.
 */
bool lockstep_submit_wait(submit_answer *answer);

/*
 * For who has come to lead by waiting, in his transaction: takes the calls that go with his own and
 * are in nobody's way. Returns how many; they are numbers from 0 on.
 */
int lockstep_submit_take(void);
const submit_call *lockstep_submit_taken(int number);

/* What that follower is told if the transaction commits; to be filled in before. */
submit_answer *lockstep_submit_answer_of(int number);

/* The group has come to nothing: so the followers are told when the transaction is rolled back. */
void lockstep_submit_fault(void);

/*
 * Takes this session's call out of the queue, in whatever state, where it is still in it. Raises
 * nothing, as the one below.
 */
void lockstep_submit_leave(void);

/* The same, but that who leads in a transaction leaves when that ends. */
void lockstep_submit_abandon(void);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
