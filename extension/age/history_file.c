#include "pg/version.h"

#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include <sys/stat.h>

#include "age/history_file.h"

#define HISTORY_FILE PGSTAT_STAT_PERMANENT_DIRECTORY "/lockstep_age_history.stat"
#define HISTORY_MAGIC 0x4c534148 /* LSAH */
#define HISTORY_FORMAT 1

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
        header->count > LOCKSTEP_MOST_SAMPLES)
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

/* Reads the samples; says what is wrong with the file, or NULL. */
static const char *read_samples(FILE *file, age_sample **to, int32 *count) {
    file_header header;
    file_header expected;
    const char *fault;

    if (fread(&header, sizeof(header), 1, file) != 1)
        return "it is too short";
    fault = fault_of(&header);
    if (fault != NULL)
        return fault;
    *to = palloc_extended(sizeof(age_sample) * (header.count + 1), MCXT_ALLOC_NO_OOM);
    if (*to == NULL)
        return "there is no memory to read it";
    if (fread(*to, sizeof(age_sample), header.count, file) != (size_t)header.count)
        return "it is too short";
    expected = new_header(header.count);
    add_to_crc(&expected, *to, header.count);
    FIN_CRC32C(expected.crc);
    if (!EQ_CRC32C(header.crc, expected.crc))
        return "its checksum does not fit";
    *count = header.count;
    return fault_in(*to, header.count);
}

int32_t lockstep_read_history(age_sample **to) {
    FILE *const file = AllocateFile(HISTORY_FILE, PG_BINARY_R);
    const char *fault;
    int32 count = 0;

    if (file == NULL) {
        if (errno != ENOENT)
            ereport(LOG, (errcode_for_file_access(),
                          errmsg("could not open file \"%s\": %m", HISTORY_FILE)));
        return 0;
    }
    fault = read_samples(file, to, &count);
    FreeFile(file);
    if (fault == NULL)
        return count;
    ereport(LOG, (errmsg("lockstep: the file \"%s\" is not used: %s", HISTORY_FILE, fault)));
    return 0;
}

void lockstep_write_history(const age_sample *first, int32_t firsts, const age_sample *second,
                            int32_t seconds) {
    const char *const fresh = HISTORY_FILE ".tmp";
    file_header header = new_header(firsts + seconds);
    FILE *const file = AllocateFile(fresh, PG_BINARY_W);
    bool written;

    add_to_crc(&header, first, firsts);
    add_to_crc(&header, second, seconds);
    FIN_CRC32C(header.crc);
    written = file != NULL && fwrite(&header, sizeof(header), 1, file) == 1 &&
              fwrite(first, sizeof(age_sample), firsts, file) == (size_t)firsts &&
              (seconds == 0 || /* then there is no such part at all */
               fwrite(second, sizeof(age_sample), seconds, file) == (size_t)seconds);
    if (file != NULL && FreeFile(file) != 0)
        written = false;
    if (!written) {
        ereport(LOG, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", fresh)));
        unlink(fresh);
        return;
    }
    (void)durable_rename(fresh, HISTORY_FILE, LOG);
}
