/*
 * Records each deadlock as the server finds it, and follows what becomes of the victim's error.
 */
#ifndef LOCKSTEP_DEADLOCKS_WATCH_H
#define LOCKSTEP_DEADLOCKS_WATCH_H

#ifdef __cplusplus
extern "C" {
#endif

/* When the module is loaded; preloaded, asks for the memory and watches. */
void lockstep_install_deadlock_watch(void);

#ifdef __cplusplus
}
#endif

#endif
