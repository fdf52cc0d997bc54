/*
 * A file in which a list of equal items outlives the server. It is in the data folder, and read
 * only if it is whole and was written by this server in this folder.
 */
#ifndef LOCKSTEP_PG_KEPT_FILE_H
#define LOCKSTEP_PG_KEPT_FILE_H

/* NOLINTBEGIN(modernize-*): C includes this too. */
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which file it is, and what is in it. */
typedef struct kept_file {
    const char *path; /* below the data folder */
    const char *fresh_path;
    uint32_t magic;
    uint32_t format; /* another one is not read */
    uint32_t item_size;
    int32_t most; /* more items are in no such file */
    /* What is wrong with the items of a whole file, or NULL. It raises nothing. */
    const char *(*fault_in)(const void *items, int32_t count);
} kept_file;

/* Items that stand one behind the other in memory. */
typedef struct kept_run {
    const void *items;
    int32_t count;
} kept_run;

/*
 * The items, in the current memory context; 0 where there is no file, or none to be used, and then
 * the log says why, and `to` is left NULL. Raises nothing.
 */
int32_t lockstep_read_kept(const kept_file *file, void **to);

/*
 * Writes some runs, one after the other; any may be empty. Allocates nothing and raises nothing:
 * the postmaster calls it when it ends.
 */
void lockstep_write_kept(const kept_file *file, const kept_run *runs, int32_t run_count);

/*
 * The same of a ring with `room` places: its last `count` items, the last of all before the place
 * `next`.
 */
void lockstep_write_kept_ring(const kept_file *file, const void *items, int32_t room, int32_t count,
                              int32_t next);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(modernize-*) */
#endif
