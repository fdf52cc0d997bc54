#include "pg/version.h"

#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include <sys/stat.h>

#include "age/history.h"

#define HISTORY_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/lockstep_age_history.stat"
#define HISTORY_MAGIC 0x4c534148 /* LSAH */
#define HISTORY_FORMAT 1
#define MOST_SAMPLES 100000

typedef struct history_ring {
    LWLock *lock;
    int32 room;
    int32 count;
    int32 next; /* where the next sample goes */
    age_sample samples[FLEXIBLE_ARRAY_MEMBER];
} history_ring;

/* In front of the samples in the file, which are in order. */
typedef struct file_header {
    uint32_t magic;
    uint32_t format;
    uint32_t sample_size;
    int32_t count;
    uint64_t system; /* whose history it is */
    uint64_t folder; /* ... in which data folder: base backups and clones have the same system */
    pg_crc32c crc;   /* of the header without this, and of the samples */
} file_header;

static history_ring *ring = NULL;
static int history_size = 10080; /* a week of minutes */
static shmem_request_hook_type earlier_request_hook = NULL;
static shmem_startup_hook_type earlier_startup_hook = NULL;

static Size room_for_ring(void) {
    return add_size(offsetof(history_ring, samples), mul_size(sizeof(age_sample), history_size));
}

/* The sample by its age: 0 is the oldest. */
static age_sample *sample_at(int32 index) {
    return &ring->samples[(ring->next - ring->count + index + ring->room) % ring->room];
}

static void add_to_crc(file_header *header, const age_sample *samples, int32 count) {
    COMP_CRC32C(header->crc, samples, sizeof(age_sample) * count);
}

/* The data folder's mark: a file that is written in place as long as the folder lives. */
static uint64_t folder_mark(void) {
    struct stat found;

    return stat(XLOG_CONTROL_FILE, &found) == 0 ? (uint64_t)found.st_ino : 0;
}

static file_header new_header(int32 count) {
    file_header header;

    memset(&header, 0, sizeof(header));
    header.magic = HISTORY_MAGIC;
    header.format = HISTORY_FORMAT;
    header.sample_size = sizeof(age_sample);
    header.count = count;
    header.system = GetSystemIdentifier();
    header.folder = folder_mark();
    INIT_CRC32C(header.crc);
    COMP_CRC32C(header.crc, &header, offsetof(file_header, crc));
    return header;
}

/* What is wrong with a header; NULL where it is good. */
static const char *fault_of(const file_header *header) {
    if (header->magic != HISTORY_MAGIC || header->format != HISTORY_FORMAT ||
        header->sample_size != sizeof(age_sample) || header->count < 0 ||
        header->count > MOST_SAMPLES)
        return "it has another format";
    if (header->system != GetSystemIdentifier())
        return "it belongs to another database system";
    if (header->folder != folder_mark())
        return "it belongs to another data folder";
    return NULL;
}

/* What is wrong with the samples: they must be in order, and name what there is. */
static const char *fault_in(const age_sample *samples, int32 count) {
    for (int32 i = 0; i < count; ++i)
        if (samples[i].top_kind < 0 || samples[i].top_kind >= LOCKSTEP_HOLDER_KINDS ||
            (i > 0 && (samples[i].taken_at < samples[i - 1].taken_at ||
                       samples[i].next_xid < samples[i - 1].next_xid)))
            return "its samples are out of order";
    return NULL;
}

/* Of a longer ring the newest; what the clock has not reached yet is no past. */
static void take_over(const age_sample *samples, int32 count) {
    const TimestampTz now = GetCurrentTimestamp();

    while (count > 0 && samples[count - 1].taken_at > now)
        --count;
    for (int32 i = Max(0, count - ring->room); i < count; ++i) {
        age_sample *const copy = &ring->samples[ring->next];

        *copy = samples[i];
        copy->top_name[sizeof(copy->top_name) - 1] = '\0';
        ring->next = (ring->next + 1) % ring->room;
        ring->count = Min(ring->count + 1, ring->room);
    }
}

/* Reads the file into the empty ring; says what is wrong with it, or NULL. */
static const char *read_samples(FILE *file) {
    file_header header;
    file_header expected;
    age_sample *samples;
    const char *fault;

    if (fread(&header, sizeof(header), 1, file) != 1)
        return "it is too short";
    fault = fault_of(&header);
    if (fault != NULL)
        return fault;
    samples = palloc_extended(sizeof(age_sample) * (header.count + 1), MCXT_ALLOC_NO_OOM);
    if (samples == NULL)
        return "there is no memory to read it";
    expected = new_header(header.count);
    if (fread(samples, sizeof(age_sample), header.count, file) != (size_t)header.count)
        fault = "it is too short";
    else {
        add_to_crc(&expected, samples, header.count);
        FIN_CRC32C(expected.crc);
        fault = EQ_CRC32C(header.crc, expected.crc) ? fault_in(samples, header.count)
                                                    : "its checksum does not fit";
    }
    if (fault == NULL)
        take_over(samples, header.count);
    pfree(samples);
    return fault;
}

static void load_history(void) {
    FILE *const file = AllocateFile(HISTORY_FILE, PG_BINARY_R);
    const char *fault;

    if (file == NULL) {
        if (errno != ENOENT)
            ereport(LOG, (errcode_for_file_access(),
                          errmsg("could not open file \"%s\": %m", HISTORY_FILE)));
        return;
    }
    fault = read_samples(file);
    FreeFile(file);
    if (fault != NULL)
        ereport(LOG, (errmsg("lockstep: the file \"%s\" is not used: %s", HISTORY_FILE, fault)));
}

/* Writes two runs of samples, one after the other; either may be empty. */
static void write_file(const age_sample *first, int32 firsts, const age_sample *second,
                       int32 seconds) {
    const char *const fresh = HISTORY_FILE ".tmp";
    file_header header = new_header(firsts + seconds);
    FILE *const file = AllocateFile(fresh, PG_BINARY_W);
    bool written;

    add_to_crc(&header, first, firsts);
    add_to_crc(&header, second, seconds);
    FIN_CRC32C(header.crc);
    written = file != NULL && fwrite(&header, sizeof(header), 1, file) == 1 &&
              fwrite(first, sizeof(age_sample), firsts, file) == (size_t)firsts &&
              fwrite(second, sizeof(age_sample), seconds, file) == (size_t)seconds;
    if (file != NULL && FreeFile(file) != 0)
        written = false;
    if (!written) {
        ereport(LOG, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", fresh)));
        unlink(fresh);
        return;
    }
    (void)durable_rename(fresh, HISTORY_FILE, LOG);
}

void lockstep_save_history(void) {
    age_sample *samples = NULL;
    const int32 count = lockstep_copy_history(&samples);

    write_file(samples, count, NULL, 0);
    pfree(samples);
}

/*
 * The postmaster, when all others have gone; not when it starts them anew after a crash, when
 * memory may be damaged. There is nobody left to lock against, and one who was killed by an
 * immediate stop may have left the lock behind.
 */
static void save_at_shutdown(int code, Datum arg) {
    int32 first;

    if (code != 0 || ring == NULL)
        return;
    first = (ring->next - ring->count + ring->room) % ring->room;
    if (first + ring->count <= ring->room)
        write_file(&ring->samples[first], ring->count, NULL, 0);
    else
        write_file(&ring->samples[first], ring->room - first, ring->samples, ring->next);
}

static void request_room(void) {
    if (earlier_request_hook != NULL)
        earlier_request_hook();
    RequestAddinShmemSpace(room_for_ring());
    RequestNamedLWLockTranche("lockstep_age_history", 1);
}

static void make_room(void) {
    bool found;

    if (earlier_startup_hook != NULL)
        earlier_startup_hook();
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    ring = ShmemInitStruct("lockstep age history", room_for_ring(), &found);
    if (!found) {
        ring->lock = &GetNamedLWLockTranche("lockstep_age_history")->lock;
        ring->room = history_size;
        ring->count = ring->next = 0;
    }
    LWLockRelease(AddinShmemInitLock);
    if (IsUnderPostmaster)
        return;
    on_shmem_exit(save_at_shutdown, 0);
    if (!found)
        load_history();
}

void lockstep_install_history(void) {
    /* Known without preloading as well, so that a file that sets it is no reason for a warning. */
    DefineCustomIntVariable(
        "lockstep.history_size", "Samples that transaction_age_history keeps.",
        "Needs lockstep in shared_preload_libraries.", &history_size, 10080, 10, MOST_SAMPLES,
        process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP, 0, NULL, NULL,
        NULL);
    if (!process_shared_preload_libraries_in_progress)
        return;
    earlier_request_hook = shmem_request_hook;
    shmem_request_hook = request_room;
    earlier_startup_hook = shmem_startup_hook;
    shmem_startup_hook = make_room;
}

bool lockstep_has_history(void) {
    return ring != NULL;
}

void lockstep_add_sample(const age_sample *sample) {
    LWLockAcquire(ring->lock, LW_EXCLUSIVE);
    /* Where the server was set back, by its clock or by pg_resetwal, that part of the past is no
     * use. */
    while (ring->count > 0 && (sample_at(ring->count - 1)->taken_at > sample->taken_at ||
                               sample_at(ring->count - 1)->next_xid > sample->next_xid)) {
        ring->next = (ring->next - 1 + ring->room) % ring->room;
        ring->count--;
    }
    ring->samples[ring->next] = *sample;
    ring->next = (ring->next + 1) % ring->room;
    ring->count = Min(ring->count + 1, ring->room);
    LWLockRelease(ring->lock);
}

int32_t lockstep_copy_history(age_sample **to) {
    int32 count;

    *to = palloc(sizeof(age_sample) * ring->room);
    LWLockAcquire(ring->lock, LW_SHARED);
    count = ring->count;
    for (int32 i = 0; i < count; ++i)
        (*to)[i] = *sample_at(i);
    LWLockRelease(ring->lock);
    return count;
}

/* The first sample of which `is_after` is true; NULL where none is. Whoever calls holds the lock.
 */
static const age_sample *first_after(bool (*is_after)(const age_sample *, uint64), uint64 bound) {
    int32 low = 0;
    int32 high = ring->count;

    while (low < high) {
        const int32 middle = low + (high - low) / 2;

        if (is_after(sample_at(middle), bound))
            high = middle;
        else
            low = middle + 1;
    }
    return low < ring->count ? sample_at(low) : NULL;
}

static bool is_ahead_of_xid(const age_sample *sample, uint64 xid) {
    return sample->next_xid > xid;
}

static bool is_not_before(const age_sample *sample, uint64 at) {
    return sample->taken_at >= (int64)at;
}

int64_t lockstep_seen_at(uint64_t xid) {
    const age_sample *found;
    int64 at;

    if (ring == NULL)
        return 0;
    LWLockAcquire(ring->lock, LW_SHARED);
    found = first_after(is_ahead_of_xid, xid);
    at = found == NULL ? 0 : found->taken_at;
    LWLockRelease(ring->lock);
    return at;
}

bool lockstep_sample_since(int64_t at, age_sample *to) {
    const age_sample *found;

    if (ring == NULL)
        return false;
    LWLockAcquire(ring->lock, LW_SHARED);
    found = first_after(is_not_before, (uint64)at);
    if (found != NULL)
        *to = *found;
    LWLockRelease(ring->lock);
    return found != NULL;
}
