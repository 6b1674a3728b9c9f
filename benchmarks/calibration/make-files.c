/*
 * Makes the files of layers from memory, and nothing else: no archive is read, inflated or hashed while the time is
 * taken. What it takes is what the kernel takes, so nothing that writes files one by one can be much faster.
 *
 *   make-files PROCESSES (PLAN CONTENTS DIRECTORY)...
 *
 * A plan is a sequence of records: decimal numbers, each followed by a space, then two strings that end with NUL.
 *
 *   kind mode uid gid seconds nanoseconds size major minor parent name NUL target NUL
 *
 * kind is d(irectory) f(ile) s(ymlink) l(ink) b(lock) c(har) p(ipe) o(paque). parent is the number of a directory: 0
 * is the one to write to, the others count from 1 in the order of the plan. The target of a link is a path from
 * the top. Contents of files follow each other in CONTENTS. Layers go to the processes one by one, in the given order.
 *
 * Prints the nanoseconds from the moment when all processes have everything in memory until all are done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { open_directories = 512 };

struct record {
    char kind;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct timespec mtime;
    size_t size;
    dev_t device;
    size_t parent;
    const char *name;
    const char *target;
};

struct directory {
    /* From the top. */
    const char *path;
    const struct record *record;
    /* Or -1. */
    int fd;
};

struct layer {
    struct record *records;
    size_t record_count;
    struct directory *directories;
    size_t directory_count;
    const char *contents;
    const char *target;
    /* The directories that are open, in turns. */
    size_t open[open_directories];
    size_t next_open;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "make-files: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (memory == NULL) fail("memory");
    return memory;
}

/* The whole file, in memory and in the page tables, with a NUL behind it if it is text. */
static const char *map(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) fail(path);
    *length = status.st_size;
    if (*length == 0) return "";
    char *bytes = mmap(NULL, *length, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED) fail(path);
    close(fd);
    volatile char touched = 0;
    for (size_t at = 0; at < *length; at += 4096) touched ^= bytes[at];
    return bytes;
}

static long long number(const char **at)
{
    char *end;
    long long value = strtoll(*at, &end, 10);
    *at = end + 1;
    return value;
}

static const char *string(const char **at)
{
    const char *begin = *at;
    *at += strlen(begin) + 1;
    return begin;
}

static size_t count_records(const char *at, const char *end)
{
    size_t strings = 0;
    while ((at = memchr(at, 0, end - at)) != NULL) {
        strings++;
        at++;
    }
    return strings / 2;
}

static const char *join(const char *parent, const char *name)
{
    char *path;
    if (asprintf(&path, *parent ? "%s/%s" : "%s%s", parent, name) < 0) fail("memory");
    return path;
}

static void add_directory(struct layer *layer, const char *path, const struct record *record)
{
    layer->directories[layer->directory_count++] =
        (struct directory) { .path = path, .record = record, .fd = -1 };
}

static void load(struct layer *layer, char **arguments)
{
    size_t length;
    const char *at = map(arguments[0], &length);
    const char *end = at + length;
    size_t count = count_records(at, end);
    layer->records = allocate(count, sizeof *layer->records);
    layer->directories = allocate(count + 1, sizeof *layer->directories);
    add_directory(layer, "", NULL);
    while (at < end) {
        struct record *record = &layer->records[layer->record_count++];
        record->kind = *at;
        at += 2;
        record->mode = number(&at);
        record->uid = number(&at);
        record->gid = number(&at);
        record->mtime.tv_sec = number(&at);
        record->mtime.tv_nsec = number(&at);
        record->size = number(&at);
        unsigned int major = number(&at);
        record->device = makedev(major, number(&at));
        record->parent = number(&at);
        record->name = string(&at);
        record->target = string(&at);
        if (record->kind == 'd')
            add_directory(layer, join(layer->directories[record->parent].path, record->name), record);
    }
    layer->contents = map(arguments[1], &length);
    layer->target = arguments[2];
}

static int descriptor(struct layer *layer, size_t index)
{
    struct directory *directory = &layer->directories[index];
    if (directory->fd >= 0) return directory->fd;
    size_t *place = &layer->open[layer->next_open++ % open_directories];
    if (*place != 0) {
        close(layer->directories[*place].fd);
        layer->directories[*place].fd = -1;
    }
    *place = index;
    directory->fd =
        openat(layer->directories[0].fd, directory->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory->fd < 0) fail(directory->path);
    return directory->fd;
}

static void make_file(int parent, const struct record *record, const char *contents)
{
    int fd = openat(parent, record->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, record->mode & 0777);
    if (fd < 0) fail(record->name);
    for (size_t done = 0; done < record->size;) {
        ssize_t written = write(fd, contents + done, record->size - done);
        if (written < 0) fail(record->name);
        done += written;
    }
    if ((record->uid != 0 || record->gid != 0) && geteuid() == 0 && fchown(fd, record->uid, record->gid) < 0)
        fail(record->name);
    if ((record->mode & 07000) != 0 && fchmod(fd, record->mode) < 0) fail(record->name);
    const struct timespec times[2] = { record->mtime, record->mtime };
    if (futimens(fd, times) < 0) fail(record->name);
    close(fd);
}

static mode_t type_of(char kind)
{
    return kind == 'b' ? S_IFBLK : kind == 'c' ? S_IFCHR : S_IFIFO;
}

static void make_other(struct layer *layer, int parent, const struct record *record)
{
    const char *name = record->name;
    int made = -1;
    switch (record->kind) {
    case 'd': made = mkdirat(parent, name, record->mode & 0777); break;
    case 's': made = symlinkat(record->target, parent, name); break;
    case 'l': made = linkat(layer->directories[0].fd, record->target, parent, name, 0); break;
    case 'o': made = fsetxattr(parent, "trusted.overlay.opaque", "y", 1, 0); break;
    default: made = mknodat(parent, name, type_of(record->kind) | (record->mode & 0777), record->device);
    }
    if (made < 0) fail(name);
    if (record->kind == 'l' || record->kind == 'o') return;
    if ((record->uid != 0 || record->gid != 0) && geteuid() == 0 &&
        fchownat(parent, name, record->uid, record->gid, AT_SYMLINK_NOFOLLOW) < 0)
        fail(name);
    if (record->kind != 's' && (record->mode & 07000) != 0 && fchmodat(parent, name, record->mode, 0) < 0)
        fail(name);
    /* Directories get theirs at the end. */
    const struct timespec times[2] = { record->mtime, record->mtime };
    if (record->kind != 'd' && utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0) fail(name);
}

static void make_layer(struct layer *layer)
{
    const char *contents = layer->contents;
    int top = layer->directories[0].fd = open(layer->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) fail(layer->target);
    for (size_t index = 0; index < layer->record_count; index++) {
        const struct record *record = &layer->records[index];
        int parent = descriptor(layer, record->parent);
        if (record->kind == 'f') {
            make_file(parent, record, contents);
            contents += record->size;
        } else {
            make_other(layer, parent, record);
        }
    }
    for (size_t index = layer->directory_count - 1; index > 0; index--) {
        const struct directory *directory = &layer->directories[index];
        const struct timespec times[2] = { directory->record->mtime, directory->record->mtime };
        int done = directory->fd >= 0 ? futimens(directory->fd, times)
                                      : utimensat(top, directory->path, times, AT_SYMLINK_NOFOLLOW);
        if (done < 0) fail(directory->path);
        if (directory->fd >= 0) close(directory->fd);
    }
    close(top);
}

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static _Noreturn void work(int layer_count, char **arguments, atomic_int *next, int ready, int go)
{
    struct layer *layers = allocate(layer_count, sizeof *layers);
    for (int index = 0; index < layer_count; index++) load(&layers[index], arguments + 3 * index);
    char byte = 0;
    if (write(ready, &byte, 1) != 1) fail("pipe");
    close(ready);
    if (read(go, &byte, 1) != 1) fail("pipe");
    for (int index; (index = atomic_fetch_add(next, 1)) < layer_count;) make_layer(&layers[index]);
    _exit(0);
}

int main(int argument_count, char **arguments)
{
    int processes = argument_count > 1 ? atoi(arguments[1]) : 0;
    int layer_count = (argument_count - 2) / 3;
    if (processes < 1 || layer_count < 1 || argument_count != 2 + 3 * layer_count) {
        fprintf(stderr, "usage: make-files PROCESSES (PLAN CONTENTS DIRECTORY)...\n");
        return 2;
    }
    umask(0);
    atomic_int *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ready[2], go[2];
    if (next == MAP_FAILED || pipe(ready) < 0 || pipe(go) < 0) fail("start");
    for (int index = 0; index < processes; index++) {
        pid_t child = fork();
        if (child < 0) fail("fork");
        if (child == 0) {
            /* Else one that fails before it is ready would be waited for for ever. */
            close(ready[0]);
            close(go[1]);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work(layer_count, arguments + 2, next, ready[1], go[0]);
        }
    }
    close(ready[1]);
    char byte = 0;
    for (int index = 0; index < processes; index++)
        if (read(ready[0], &byte, 1) != 1) return 1;
    long long started = nanoseconds();
    for (int index = 0; index < processes; index++)
        if (write(go[1], &byte, 1) != 1) return 1;
    int failed = 0;
    for (int index = 0; index < processes; index++) {
        int status;
        if (wait(&status) < 0 || status != 0) failed = 1;
    }
    if (failed) return 1;
    printf("%lld\n", nanoseconds() - started);
    return 0;
}
