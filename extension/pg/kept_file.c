#include "pg/version.h"

#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "port/pg_crc32c.h"
#include "storage/fd.h"
#include "utils/memutils.h"

#include <sys/stat.h>

#include "pg/kept_file.h"

/* In front of the items in the file. */
typedef struct file_header {
    uint32_t magic;
    uint32_t format;
    uint32_t item_size;
    int32_t count;
    uint64_t system; /* whose items they are */
    uint64_t folder; /* ... in which data folder: base backups and clones have the same system */
    pg_crc32c crc;   /* of the header without this, and of the items */
} file_header;

/* The data folder's mark: a file that is written in place as long as the folder lives. */
static uint64_t folder_mark(void) {
    struct stat found;

    return stat(XLOG_CONTROL_FILE, &found) == 0 ? (uint64_t)found.st_ino : 0;
}

static size_t size_of(const kept_file *file, const kept_run *run) {
    return (size_t)file->item_size * (size_t)run->count;
}

/* The header of these runs, wholly. */
static file_header header_of(const kept_file *file, const kept_run *runs, int32 run_count) {
    file_header header;

    memset(&header, 0, sizeof(header));
    header.magic = file->magic;
    header.format = file->format;
    header.item_size = file->item_size;
    header.system = GetSystemIdentifier();
    header.folder = folder_mark();
    for (int32 i = 0; i < run_count; ++i)
        header.count += runs[i].count;
    INIT_CRC32C(header.crc);
    COMP_CRC32C(header.crc, &header, offsetof(file_header, crc));
    for (int32 i = 0; i < run_count; ++i)
        if (runs[i].count > 0)
            COMP_CRC32C(header.crc, runs[i].items, size_of(file, &runs[i]));
    FIN_CRC32C(header.crc);
    return header;
}

/* What is wrong with a header; NULL where it is good. */
static const char *fault_of(const kept_file *file, const file_header *header) {
    if (header->magic != file->magic || header->format != file->format ||
        header->item_size != file->item_size || header->count < 0 || header->count > file->most)
        return "it has another format";
    if (header->system != GetSystemIdentifier())
        return "it belongs to another database system";
    if (header->folder != folder_mark())
        return "it belongs to another data folder";
    return NULL;
}

/* Reads the items; says what is wrong with the file, or NULL. */
static const char *read_items(const kept_file *file, FILE *from, void **to, int32 *count) {
    file_header header;
    kept_run all;
    const char *fault;

    if (fread(&header, sizeof(header), 1, from) != 1)
        return "it is too short";
    fault = fault_of(file, &header);
    if (fault != NULL)
        return fault;
    all.count = header.count;
    *to = palloc_extended(size_of(file, &all) + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
    all.items = *to;
    if (*to == NULL)
        return "there is no memory to read it";
    if (fread(*to, file->item_size, all.count, from) != (size_t)all.count)
        return "it is too short";
    if (!EQ_CRC32C(header.crc, header_of(file, &all, 1).crc))
        return "its checksum does not fit";
    *count = all.count;
    return file->fault_in(*to, all.count);
}

int32_t lockstep_read_kept(const kept_file *file, void **to) {
    FILE *const from = AllocateFile(file->path, PG_BINARY_R);
    const char *fault;
    int32 count = 0;

    *to = NULL;
    if (from == NULL) {
        if (errno != ENOENT)
            ereport(LOG, (errcode_for_file_access(),
                          errmsg("could not open file \"%s\": %m", file->path)));
        return 0;
    }
    fault = read_items(file, from, to, &count);
    FreeFile(from);
    if (fault == NULL)
        return count;
    if (*to != NULL)
        pfree(*to);
    *to = NULL;
    ereport(LOG, (errmsg("lockstep: the file \"%s\" is not used: %s", file->path, fault)));
    return 0;
}

static bool write_items(const kept_file *file, const kept_run *runs, int32 run_count, FILE *to) {
    const file_header header = header_of(file, runs, run_count);

    if (fwrite(&header, sizeof(header), 1, to) != 1)
        return false;
    for (int32 i = 0; i < run_count; ++i)
        if (runs[i].count > 0 &&
            fwrite(runs[i].items, file->item_size, runs[i].count, to) != (size_t)runs[i].count)
            return false;
    return true;
}

void lockstep_write_kept(const kept_file *file, const kept_run *runs, int32_t run_count) {
    FILE *const to = AllocateFile(file->fresh_path, PG_BINARY_W);
    bool written = to != NULL && write_items(file, runs, run_count, to);

    if (to != NULL && FreeFile(to) != 0)
        written = false;
    if (!written) {
        ereport(LOG, (errcode_for_file_access(),
                      errmsg("could not write file \"%s\": %m", file->fresh_path)));
        unlink(file->fresh_path);
        return;
    }
    (void)durable_rename(file->fresh_path, file->path, LOG);
}

void lockstep_write_kept_ring(const kept_file *file, const void *items, int32_t room, int32_t count,
                              int32_t next) {
    const int32 first = (next - count + room) % room;
    kept_run runs[2];

    runs[0].items = (const char *)items + (Size)file->item_size * first;
    runs[0].count = Min(count, room - first);
    runs[1].items = items;
    runs[1].count = count - runs[0].count;
    lockstep_write_kept(file, runs, lengthof(runs));
}
