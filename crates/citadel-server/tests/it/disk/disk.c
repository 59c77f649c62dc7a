// A disk that writes a diary and fails on demand, for tests: loaded in front of the C library (LD_PRELOAD), it sees what the
// server does to the files below one directory.
//
//   CITADEL_DISK         the directory
//   CITADEL_DISK_DIARY   a file to which each change, sync and answer is appended, in their order; not written if not set
//   CITADEL_DISK_FAULTS  a file of one byte per kind of call: the errno with which it fails, 0 for none
//
// A record of the diary: kind (1 byte), length of the path (2), offset (8), length of the data (4), path, data; numbers are
// little-endian.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum fault { WRITE, SYNC, READ, OPEN, TRUNCATE, SHORT, SYNC_DB, FAULTS };

#define FILES 4096
static char *paths[FILES];  // Of the open files below the directory.
static const char *directory;
static size_t directory_length;
static int diary = -1;
static volatile unsigned char *faults;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    directory = getenv("CITADEL_DISK");
    if (!directory) return;
    directory_length = strlen(directory);
    const char *path = getenv("CITADEL_DISK_DIARY");
    if (path) diary = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    path = getenv("CITADEL_DISK_FAULTS");
    int file = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (file >= 0) {
        void *mapped = mmap(NULL, FAULTS, PROT_READ, MAP_SHARED, file, 0);
        if (mapped != MAP_FAILED) faults = mapped;
    }
}

static int fails(enum fault kind) {
    if (!faults || !faults[kind]) return 0;
    errno = faults[kind];
    return 1;
}

static int is_ours(const char *path) {
    return directory && path && !strncmp(path, directory, directory_length);
}

static const char *path_of(int file) { return file >= 0 && file < FILES ? paths[file] : NULL; }

// One write, so that a killed process leaves whole records, but for the last.
static void note(char kind, const char *path, uint64_t offset, const struct iovec *parts, int count) {
    if (diary < 0) return;
    uint32_t length = 0;
    for (int n = 0; n < count; n++) length += parts[n].iov_len;
    uint16_t path_length = strlen(path);
    char *record = malloc(15 + path_length + length), *end = record + 15 + path_length;
    record[0] = kind;
    memcpy(record + 1, &path_length, 2);
    memcpy(record + 3, &offset, 8);
    memcpy(record + 11, &length, 4);
    memcpy(record + 15, path, path_length);
    for (int n = 0; n < count; n++) {
        memcpy(end, parts[n].iov_base, parts[n].iov_len);
        end += parts[n].iov_len;
    }
    if (syscall(SYS_write, diary, record, end - record) < 0) abort();
    free(record);
}

static int opened(int file, const char *path, int flags, int is_new) {
    if (file < 0 || file >= FILES) return file;
    pthread_mutex_lock(&lock);
    paths[file] = strdup(path);
    if (is_new) note('c', path, 0, NULL, 0);
    if (flags & O_TRUNC) note('t', path, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return file;
}

static int open_file(const char *path, int flags, mode_t mode) {
    if (!is_ours(path)) return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if ((flags & (O_WRONLY | O_RDWR)) && fails(OPEN)) return -1;
    int is_new = (flags & O_CREAT) && access(path, F_OK) != 0;
    return opened(syscall(SYS_openat, AT_FDCWD, path, flags, mode), path, flags, is_new);
}

#define MODE(flags, mode)                            \
    mode_t mode = 0;                                 \
    if (flags & (O_CREAT | __O_TMPFILE)) {           \
        va_list arguments;                           \
        va_start(arguments, flags);                  \
        mode = va_arg(arguments, mode_t);            \
        va_end(arguments);                           \
    }

int open(const char *path, int flags, ...) { MODE(flags, mode) return open_file(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return open_file(path, flags, mode); }
int openat(int at, const char *path, int flags, ...) {
    MODE(flags, mode)
    return path[0] == '/' ? open_file(path, flags, mode) : (int)syscall(SYS_openat, at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) {
    MODE(flags, mode)
    return path[0] == '/' ? open_file(path, flags, mode) : (int)syscall(SYS_openat, at, path, flags, mode);
}

int close(int file) {
    if (path_of(file)) {
        pthread_mutex_lock(&lock);
        free(paths[file]);
        paths[file] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return syscall(SYS_close, file);
}

static ssize_t write_at(int file, const void *bytes, size_t length, off_t offset) {
    const char *path = path_of(file);
    if (path && fails(WRITE)) return -1;
    // Half of it fits, and then nothing.
    if (path && faults && faults[SHORT]) {
        if (length < 2) return fails(SHORT), -1;
        length /= 2;
    }
    if (!path) return syscall(SYS_pwrite64, file, bytes, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t written = syscall(SYS_pwrite64, file, bytes, length, offset);
    if (written > 0) {
        struct iovec part = {(void *)bytes, written};
        note('w', path, offset, &part, 1);
    }
    pthread_mutex_unlock(&lock);
    return written;
}
ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) { return write_at(file, bytes, length, offset); }
ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset) { return write_at(file, bytes, length, offset); }

static ssize_t read_at(int file, void *bytes, size_t length, off_t offset) {
    if (path_of(file) && fails(READ)) return -1;
    return syscall(SYS_pread64, file, bytes, length, offset);
}
ssize_t pread(int file, void *bytes, size_t length, off_t offset) { return read_at(file, bytes, length, offset); }
ssize_t pread64(int file, void *bytes, size_t length, off_t offset) { return read_at(file, bytes, length, offset); }

// What goes into a socket is an answer, and is noted before anybody can have it.
static void answer(int file, const struct iovec *parts, int count) {
    struct stat about;
    if (diary < 0 || count < 1 || parts[0].iov_len < 10 || memcmp(parts[0].iov_base, "HTTP/1.1 2", 10)) return;
    if (fstat(file, &about) || !S_ISSOCK(about.st_mode)) return;
    pthread_mutex_lock(&lock);
    note('a', "", 0, parts, count);
    pthread_mutex_unlock(&lock);
}

ssize_t write(int file, const void *bytes, size_t length) {
    const char *path = path_of(file);
    struct iovec part = {(void *)bytes, length};
    if (!path) {
        answer(file, &part, 1);
        return syscall(SYS_write, file, bytes, length);
    }
    if (fails(WRITE)) return -1;
    pthread_mutex_lock(&lock);
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t written = syscall(SYS_write, file, bytes, length);
    if (written > 0) {
        part.iov_len = written;
        note('w', path, offset, &part, 1);
    }
    pthread_mutex_unlock(&lock);
    return written;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    answer(file, parts, count);
    return syscall(SYS_writev, file, parts, count);
}
ssize_t send(int socket, const void *bytes, size_t length, int flags) {
    struct iovec part = {(void *)bytes, length};
    answer(socket, &part, 1);
    return syscall(SYS_sendto, socket, bytes, length, flags, NULL, 0);
}
ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    answer(socket, message->msg_iov, message->msg_iovlen);
    return syscall(SYS_sendmsg, socket, message, flags);
}

// What was written before a sync began is kept once it has ended well.
static int sync_file(int file, int call) {
    const char *path = path_of(file);
    if (!path) return syscall(call, file);
    if (fails(SYNC)) return -1;
    if (strstr(path, ".db") && !strstr(path, "-wal") && fails(SYNC_DB)) return -1;
    pthread_mutex_lock(&lock);
    uint64_t begun = syscall(SYS_gettid);
    note('b', path, begun, NULL, 0);
    pthread_mutex_unlock(&lock);
    int result = syscall(call, file);
    pthread_mutex_lock(&lock);
    if (!result) note('s', path, begun, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}
int fsync(int file) { return sync_file(file, SYS_fsync); }
int fdatasync(int file) { return sync_file(file, SYS_fdatasync); }

static int cut(int file, off_t length) {
    const char *path = path_of(file);
    if (!path) return syscall(SYS_ftruncate, file, length);
    if (fails(TRUNCATE)) return -1;
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_ftruncate, file, length);
    if (!result) note('t', path, length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}
int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off_t length) { return cut(file, length); }

int unlink(const char *path) {
    if (!is_ours(path)) return syscall(SYS_unlink, path);
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_unlink, path);
    if (!result) note('u', path, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return result;
}
