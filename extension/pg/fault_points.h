/* The points of fault.hpp that C code reaches, where no error can be raised. */
#ifndef LOCKSTEP_PG_FAULT_POINTS_H
#define LOCKSTEP_PG_FAULT_POINTS_H

#ifdef __cplusplus
extern "C" {
#endif

/* In the middle of writing down a deadlock. Only kill and stop happen here. */
void lockstep_reach_deadlock_slot(void);

#ifdef __cplusplus
}
#endif

#endif
