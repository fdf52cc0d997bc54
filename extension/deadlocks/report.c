#include "pg/version.h"

#include "storage/lmgr.h"
#include "storage/lock.h"

#include "deadlocks/report.h"

#define MOST_PARTS 4

/* A stretch of the text that stands for one part of a pattern. */
typedef struct part {
    const char *from;
    size_t length;
} part;

/*
 * A lock's tag in words, as DescribeLockTag() writes it, and which field each number goes to.
 * Numbers of subscriptions and transactions are 16's.
 */
typedef struct tag_pattern {
    const char *words;
    LockTagType type;
    int fields[MOST_PARTS];
} tag_pattern;

static const tag_pattern tag_patterns[] = {
    {"relation %u of database %u", LOCKTAG_RELATION, {2, 1}},
    {"extension of relation %u of database %u", LOCKTAG_RELATION_EXTEND, {2, 1}},
    {"pg_database.datfrozenxid of database %u", LOCKTAG_DATABASE_FROZEN_IDS, {1}},
    {"page %u of relation %u of database %u", LOCKTAG_PAGE, {3, 2, 1}},
    {"tuple (%u,%u) of relation %u of database %u", LOCKTAG_TUPLE, {3, 4, 2, 1}},
    {"transaction %u", LOCKTAG_TRANSACTION, {1}},
    {"virtual transaction %d/%u", LOCKTAG_VIRTUALTRANSACTION, {1, 2}},
    {"speculative token %u of transaction %u", LOCKTAG_SPECULATIVE_TOKEN, {2, 1}},
    {"object %u of class %u of database %u", LOCKTAG_OBJECT, {3, 2, 1}},
    {"user lock [%u,%u,%u]", LOCKTAG_USERLOCK, {1, 2, 3}},
    {"advisory lock [%u,%u,%u,%u]", LOCKTAG_ADVISORY, {1, 2, 3, 4}},
#if LOCKSTEP_HAS_APPLY_LOCKS
    {"remote transaction %u of subscription %u of database %u",
     LOCKTAG_APPLY_TRANSACTION,
     {3, 2, 1}},
#endif
};

/*
 * A conversion of a pattern: its last letter, and whose part it stands for; a translation may put
 * them in another order (%2$s). Returns what is behind it, or NULL where it is none.
 */
static const char *read_conversion(const char *at, int *number) {
    const char *digits = at + 1;

    if (*at != '%')
        return NULL;
    if (digits[0] >= '1' && digits[0] <= '9' && digits[1] == '$') {
        *number = digits[0] - '1';
        digits += 2;
    }
    return *digits == 'd' || *digits == 'u' || *digits == 's' ? digits + 1 : NULL;
}

/* How long the pattern's words are, up to the next conversion. */
static size_t words_of(const char *pattern) {
    return strcspn(pattern, "%");
}

static size_t digits_of(const char *text) {
    const size_t sign = *text == '-';

    return sign + strspn(text + sign, "0123456789");
}

/* Where the words come next in the text; its end where there are none. */
static const char *find_words(const char *text, const char *end, const char *words, size_t length) {
    if (length == 0)
        return end;
    for (const char *at = text; at + length <= end; ++at)
        if (memcmp(at, words, length) == 0)
            return at;
    return NULL;
}

/* Whether the text is the whole pattern, filled in; the parts are what it was filled in with. */
static bool match(const char *text, const char *end, const char *pattern, part parts[MOST_PARTS]) {
    int next = 0;

    while (*pattern != '\0') {
        const size_t words = words_of(pattern);
        const char *after;
        const char *stop;
        int number = next++;

        if ((size_t)(end - text) < words || memcmp(text, pattern, words) != 0)
            return false;
        text += words;
        pattern += words;
        if (*pattern == '\0')
            break;
        after = read_conversion(pattern, &number);
        if (after == NULL || number >= MOST_PARTS)
            return false;
        stop = after[-1] == 's' ? find_words(text, end, after, words_of(after))
                                : text + digits_of(text);
        if (stop == NULL || stop == text || stop > end)
            return false;
        parts[number] = (part){text, (size_t)(stop - text)};
        text = stop;
        pattern = after;
    }
    return text == end;
}

/* The parts are digits, and end where no digit is. */
static uint32 number_in(const part *one) {
    return *one->from == '-' ? (uint32)strtol(one->from, NULL, 10)
                             : (uint32)strtoul(one->from, NULL, 10);
}

static void set_field(deadlock_lock *to, int field, uint32 value) {
    switch (field) {
    case 1: to->field1 = value; break;
    case 2: to->field2 = value; break;
    case 3: to->field3 = value; break;
    case 4: to->field4 = (uint16)value; break;
    default: break;
    }
}

static void read_lock(const part *words, deadlock_lock *to) {
    part numbers[MOST_PARTS];

    memset(to, 0, sizeof(*to));
    for (size_t i = 0; i < lengthof(tag_patterns); ++i) {
        const tag_pattern *const one = &tag_patterns[i];

        if (!match(words->from, words->from + words->length, gettext(one->words), numbers))
            continue;
        to->type = (uint8)one->type;
        to->method = one->type == LOCKTAG_ADVISORY || one->type == LOCKTAG_USERLOCK
                         ? USER_LOCKMETHOD
                         : DEFAULT_LOCKMETHOD;
        for (int j = 0; j < MOST_PARTS; ++j)
            if (one->fields[j] != 0)
                set_field(to, one->fields[j], number_in(&numbers[j]));
        return;
    }
}

/* The names of the modes are not translated. */
static int32 mode_of(const part *name) {
    for (int32 mode = 1; mode <= MaxLockMode; ++mode) {
        const char *const one = GetLockmodeName(DEFAULT_LOCKMETHOD, mode);

        if (strlen(one) == name->length && memcmp(one, name->from, name->length) == 0)
            return mode;
    }
    return 0;
}

static bool read_sentence(const char *line, const char *end, deadlock_sentence *to) {
    part parts[MOST_PARTS];

    if (!match(line, end, gettext("Process %d waits for %s on %s; blocked by process %d."), parts))
        return false;
    to->pid = (int32)number_in(&parts[0]);
    to->mode = mode_of(&parts[1]);
    read_lock(&parts[2], &to->lock);
    to->blocker_pid = (int32)number_in(&parts[3]);
    return true;
}

int32_t lockstep_read_deadlock_report(const char *detail, deadlock_sentence *to, int32_t room) {
    int32 count = 0;

    for (const char *line = detail; *line != '\0';) {
        const char *const end = line + strcspn(line, "\n");
        deadlock_sentence one;

        if (!read_sentence(line, end, &one))
            return 0;
        if (count < room)
            to[count] = one;
        ++count;
        line = *end == '\0' ? end : end + 1;
    }
    return count;
}
