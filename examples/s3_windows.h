/* s3_windows.h - the POSIX calls of s3.c on Windows, with paths in UTF-8 and files of any size.
 *
 * SPDX-License-Identifier: MIT
 *
 * Paths may have '/' or '\'; those longer than 247 characters work, too. Files are shared as on
 * POSIX: one that is open can be renamed and deleted. Standard input and output are bytes.
 */
#ifndef S3_WINDOWS_INCLUDED
#define S3_WINDOWS_INCLUDED

#include <windows.h>

#include <direct.h>
#include <fcntl.h>
#include <io.h>
#include <limits.h>
#include <process.h>
#include <shellapi.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#undef DELETE /* of winnt.h */

/* s3.c's own names, without those that Windows' C library has for its code page. */
#undef stat
#undef fstat
#undef lseek
#undef NAME_MAX
#define stat win_about
#define fstat win_fstat
#define lstat win_lstat
#define open win_open
#define lseek(fd, offset, whence) _lseeki64(fd, offset, whence)
#define read(fd, data, size) win_read(fd, data, size)
#define write(fd, data, size) win_write(fd, data, size)
#define pread win_pread
#define pwrite win_pwrite
#define close(fd) _close(fd)
#define ftruncate(fd, size) win_errno(_chsize_s(fd, size))
#define fsync(fd) _commit(fd)
#define fdatasync(fd) _commit(fd)
#define isatty win_isatty
#define unlink win_unlink
#define rename win_rename
#define mkdir win_mkdir
#define access win_access
#define getenv win_getenv

#define NAME_MAX 765 /* 255 units of UTF-16 have at most so many bytes */
#define PATH_UNITS 4608
#define O_CLOEXEC _O_NOINHERIT
#define O_NOFOLLOW 0x10000000
#define S_ISLNK(mode) (((mode) & 0xf000) == 0xa000)
#define F_OK 0
#define R_OK 4
#ifndef SIGHUP
#define SIGHUP 1
#endif
#ifndef STDIN_FILENO
#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#endif

/* -- Errors and names -- */

/* The C library's number of the last error: -1. */
static int win_failed(void)
{
    static const struct {
        DWORD windows;
        int   number;
    } known[] = {{ERROR_FILE_NOT_FOUND, ENOENT},     {ERROR_PATH_NOT_FOUND, ENOENT},
                 {ERROR_INVALID_NAME, ENOENT},       {ERROR_BAD_NETPATH, ENOENT},
                 {ERROR_DIRECTORY, ENOTDIR},         {ERROR_ACCESS_DENIED, EACCES},
                 {ERROR_SHARING_VIOLATION, EACCES},  {ERROR_LOCK_VIOLATION, EAGAIN},
                 {ERROR_WRITE_PROTECT, EROFS},       {ERROR_FILE_EXISTS, EEXIST},
                 {ERROR_ALREADY_EXISTS, EEXIST},     {ERROR_DISK_FULL, ENOSPC},
                 {ERROR_HANDLE_DISK_FULL, ENOSPC},   {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
                 {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG}, {ERROR_BROKEN_PIPE, EPIPE},
                 {ERROR_NO_DATA, EPIPE},             {ERROR_INVALID_HANDLE, EBADF}};
    DWORD error = GetLastError();
    size_t i;

    errno = EIO;
    for (i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].windows == error)
            errno = known[i].number;
    return -1;
}

static int win_errno(int number)
{
    errno = number;
    return number ? -1 : 0;
}

/* UTF-8 to UTF-16: 0 or -1. */
static int win_units(const char *text, wchar_t *to, int room)
{
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, to, room) > 0)
        return 0;
    errno = GetLastError() == ERROR_INSUFFICIENT_BUFFER ? ENAMETOOLONG : EILSEQ;
    return -1;
}

static int win_text(const wchar_t *units, char *to, size_t room)
{
    return WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, units, -1, to, (int)room, NULL,
                               NULL) > 0
               ? 0
               : -1;
}

/* The path as Windows wants it, by \\?\ where it is long: 0 or -1. */
static int win_path(const char *path, wchar_t to[PATH_UNITS])
{
    wchar_t given[PATH_UNITS];
    DWORD size;

    if (win_units(path, given, PATH_UNITS) < 0)
        return -1;
    size = GetFullPathNameW(given, PATH_UNITS - 8, to + 8, NULL);
    if (size == 0 || size >= PATH_UNITS - 8)
        return win_errno(ENAMETOOLONG);
    if (size < 248 || wcsncmp(to + 8, L"\\\\?\\", 4) == 0) {
        memmove(to, to + 8, (size + 1) * sizeof *to);
    } else if (to[8] == L'\\') { /* \\server to \\?\UNC\server */
        memcpy(to, L"\\\\?\\UNC", 7 * sizeof *to);
        memmove(to + 7, to + 9, size * sizeof *to);
    } else {
        memcpy(to, L"\\\\?\\", 4 * sizeof *to);
        memmove(to + 4, to + 8, (size + 1) * sizeof *to);
    }
    return 0;
}

/* -- What is known of a file -- */

struct win_about {
    uint64_t        st_dev, st_ino;
    unsigned        st_mode;
    int64_t         st_size, st_mtime;
    struct timespec st_mtim;
};

static int win_look(HANDLE file, struct win_about *about)
{
    BY_HANDLE_FILE_INFORMATION info;
    FILE_ATTRIBUTE_TAG_INFO tag;
    DWORD type = GetFileType(file);
    uint64_t t;

    memset(about, 0, sizeof *about);
    if (type != FILE_TYPE_DISK) {
        about->st_mode = type == FILE_TYPE_CHAR ? S_IFCHR : S_IFIFO;
        return 0;
    }
    if (!GetFileInformationByHandle(file, &info))
        return win_failed();
    about->st_dev = info.dwVolumeSerialNumber;
    about->st_ino = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow;
    about->st_size = (int64_t)((uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow);
    about->st_mode = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) ? S_IFDIR : S_IFREG;
    /* Other reparse points, such as files that lie in a cloud, are files. */
    if ((info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) &&
        GetFileInformationByHandleEx(file, FileAttributeTagInfo, &tag, sizeof tag) &&
        (tag.ReparseTag == IO_REPARSE_TAG_SYMLINK || tag.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT))
        about->st_mode = 0xa000;
    t = (uint64_t)info.ftLastWriteTime.dwHighDateTime << 32 | info.ftLastWriteTime.dwLowDateTime;
    about->st_mtime = (int64_t)(t / 10000000) - 11644473600; /* from 1601 */
    about->st_mtim.tv_sec = (time_t)about->st_mtime;
    about->st_mtim.tv_nsec = (long)(t % 10000000) * 100;
    return 0;
}

static int win_look_at(const char *path, struct win_about *about, DWORD flags)
{
    wchar_t name[PATH_UNITS];
    HANDLE file;
    int r;

    if (win_path(path, name) < 0)
        return -1;
    file = CreateFileW(name, FILE_READ_ATTRIBUTES,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS | flags, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return win_failed();
    r = win_look(file, about);
    CloseHandle(file);
    return r;
}

static int win_about(const char *path, struct win_about *about)
{
    return win_look_at(path, about, 0);
}

static int win_lstat(const char *path, struct win_about *about)
{
    return win_look_at(path, about, FILE_FLAG_OPEN_REPARSE_POINT);
}

static int win_fstat(int fd, struct win_about *about)
{
    return win_look((HANDLE)_get_osfhandle(fd), about);
}

static int win_access(const char *path, int mode)
{
    wchar_t name[PATH_UNITS];

    return win_path(path, name) < 0 ? -1 : _waccess(name, mode);
}

/* -- Files -- */

static int win_open(const char *path, int flags, ...)
{
    DWORD how = flags & O_TRUNC ? (DWORD)CREATE_ALWAYS : flags & O_CREAT ? (DWORD)OPEN_ALWAYS
                                                                        : (DWORD)OPEN_EXISTING;
    DWORD rights = flags & O_RDWR ? GENERIC_READ | GENERIC_WRITE
                   : flags & O_WRONLY ? GENERIC_WRITE : GENERIC_READ;
    wchar_t name[PATH_UNITS];
    HANDLE file;
    int fd;

    if (win_path(path, name) < 0)
        return -1;
    file = CreateFileW(name, rights, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       how, FILE_ATTRIBUTE_NORMAL |
                           (flags & O_NOFOLLOW ? FILE_FLAG_OPEN_REPARSE_POINT : 0), NULL);
    if (file == INVALID_HANDLE_VALUE)
        return win_failed();
    fd = _open_osfhandle((intptr_t)file, _O_BINARY | _O_NOINHERIT);
    if (fd < 0)
        CloseHandle(file);
    return fd;
}

static ssize_t win_read(int fd, void *data, size_t size)
{
    return _read(fd, data, size < INT_MAX ? (unsigned)size : INT_MAX);
}

static ssize_t win_write(int fd, const void *data, size_t size)
{
    return _write(fd, data, size < INT_MAX ? (unsigned)size : INT_MAX);
}

static ssize_t win_pread(int fd, void *data, size_t size, int64_t at)
{
    OVERLAPPED place;
    DWORD n = 0;

    memset(&place, 0, sizeof place);
    place.Offset = (DWORD)at;
    place.OffsetHigh = (DWORD)(at >> 32);
    if (!ReadFile((HANDLE)_get_osfhandle(fd), data, size < INT_MAX ? (DWORD)size : INT_MAX, &n,
                  &place) &&
        GetLastError() != ERROR_HANDLE_EOF)
        return win_failed();
    return (ssize_t)n;
}

static ssize_t win_pwrite(int fd, const void *data, size_t size, int64_t at)
{
    OVERLAPPED place;
    DWORD n = 0;

    memset(&place, 0, sizeof place);
    place.Offset = (DWORD)at;
    place.OffsetHigh = (DWORD)(at >> 32);
    if (!WriteFile((HANDLE)_get_osfhandle(fd), data, size < INT_MAX ? (DWORD)size : INT_MAX, &n,
                   &place))
        return win_failed();
    return (ssize_t)n;
}

enum { LOCK_EX = 2, LOCK_NB = 4 };

/* Exclusive and at once, as s3.c wants it: a byte that no file has, as others couldn't read it. */
static int flock(int fd, int how)
{
    OVERLAPPED place;

    (void)how;
    memset(&place, 0, sizeof place);
    place.OffsetHigh = 0x7fffffff;
    return LockFileEx((HANDLE)_get_osfhandle(fd),
                      LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place)
               ? 0
               : win_failed();
}

static int futimens(int fd, const struct timespec times[2])
{
    uint64_t t =
        (uint64_t)(times[1].tv_sec + 11644473600) * 10000000 + (uint64_t)times[1].tv_nsec / 100;
    FILETIME time;

    time.dwLowDateTime = (DWORD)t;
    time.dwHighDateTime = (DWORD)(t >> 32);
    return SetFileTime((HANDLE)_get_osfhandle(fd), NULL, &time, &time) ? 0 : win_failed();
}

static int win_unlink(const char *path)
{
    wchar_t name[PATH_UNITS];

    return win_path(path, name) < 0 ? -1 : DeleteFileW(name) ? 0 : win_failed();
}

static int win_rename(const char *from, const char *to)
{
    wchar_t name[PATH_UNITS], other[PATH_UNITS];

    if (win_path(from, name) < 0 || win_path(to, other) < 0)
        return -1;
    return MoveFileExW(name, other, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)
               ? 0
               : win_failed();
}

/* A drive exists, too. */
static int win_mkdir(const char *path, int mode)
{
    wchar_t name[PATH_UNITS];
    struct win_about about;

    (void)mode;
    if (win_path(path, name) < 0)
        return -1;
    if (CreateDirectoryW(name, NULL))
        return 0;
    (void)win_failed();
    return win_errno(win_about(path, &about) == 0 ? EEXIST : errno);
}

/* -- A directory, one at a time -- */

struct dirent {
    char d_name[NAME_MAX + 1];
};

typedef struct DIR {
    HANDLE           find;
    int              first; /* there is one that wasn't given yet */
    WIN32_FIND_DATAW data;
    struct dirent    entry;
} DIR;

static DIR *opendir(const char *path)
{
    static DIR only;
    wchar_t name[PATH_UNITS + 2];
    size_t size;

    if (win_path(path, name) < 0)
        return NULL;
    size = wcslen(name);
    memcpy(name + size, name[size - 1] == L'\\' ? L"*" : L"\\*", 3 * sizeof *name);
    if (name[size - 1] == L'\\')
        name[size + 1] = 0;
    only.find = FindFirstFileW(name, &only.data);
    only.first = 1;
    if (only.find == INVALID_HANDLE_VALUE) {
        (void)win_failed();
        return NULL;
    }
    return &only;
}

/* Names that aren't Unicode can't be keys either: they are passed over. */
static struct dirent *readdir(DIR *dir)
{
    do {
        if (!dir->first && !FindNextFileW(dir->find, &dir->data)) {
            if (GetLastError() != ERROR_NO_MORE_FILES)
                (void)win_failed();
            return NULL;
        }
        dir->first = 0;
    } while (win_text(dir->data.cFileName, dir->entry.d_name, sizeof dir->entry.d_name) < 0);
    return &dir->entry;
}

static int closedir(DIR *dir)
{
    return FindClose(dir->find) ? 0 : win_failed();
}

/* -- The console -- */

/* _isatty says so of NUL, too. */
static int win_isatty(int fd)
{
    DWORD mode;

    return GetConsoleMode((HANDLE)_get_osfhandle(fd), &mode) != 0;
}

struct sigaction {
    void (*sa_handler)(int number);
};

static void (*win_interrupted)(int number);

static BOOL WINAPI win_control(DWORD event)
{
    win_interrupted(event == CTRL_CLOSE_EVENT ? SIGHUP : event == CTRL_C_EVENT ? SIGINT : SIGTERM);
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
        Sleep(INFINITE); /* Windows ends the process when this returns; the tool ends first */
    return TRUE;
}

/* Ctrl-C, Ctrl-Break, the window's end and the session's are all one. */
static int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    (void)number;
    (void)old;
    if (!win_interrupted)
        SetConsoleCtrlHandler(win_control, TRUE);
    win_interrupted = action->sa_handler;
    return 0;
}

static UINT win_code_page;

static void win_console_end(void)
{
    SetConsoleOutputCP(win_code_page);
}

/* "HOME" is the user's directory. In UTF-8, until the next call. */
static const char *win_getenv(const char *name)
{
    static char text[4096];
    wchar_t value[4096], units[64];
    DWORD size;

    if (win_units(strcmp(name, "HOME") == 0 ? "USERPROFILE" : name, units, 64) < 0)
        return NULL;
    size = GetEnvironmentVariableW(units, value, 4096);
    return size == 0 || size >= 4096 || win_text(value, text, sizeof text) < 0 ? NULL : text;
}

/* Arguments in UTF-8, bytes instead of lines, a console that shows UTF-8 and moves its cursor. */
static void system_begin(int *argc, char ***argv)
{
    static char text[65536], *arguments[4096];
    HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
    size_t used = 0;
    DWORD mode;
    int count, i;
    wchar_t **units = CommandLineToArgvW(GetCommandLineW(), &count);

    for (i = 0; units && i < count && i < 4095; i++) {
        if (win_text(units[i], text + used, sizeof text - used) < 0)
            break;
        arguments[i] = text + used;
        used += strlen(text + used) + 1;
    }
    if (units && i == count) {
        *argc = count;
        *argv = arguments;
    }
    LocalFree(units);
    for (i = 0; i < 3; i++)
        _setmode(i, _O_BINARY);
    if (GetConsoleMode(console, &mode)) {
        SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
        win_code_page = GetConsoleOutputCP();
        SetConsoleOutputCP(CP_UTF8);
        atexit(win_console_end);
    }
}

/* -- Names of files -- */

/* A path from the command line gets the tool's slashes. */
static void system_path(char *path)
{
    for (; *path; path++)
        if (*path == '\\')
            *path = '/';
}

/* Whether a part of a path is the name of a device: CON, NUL.txt, COM1 ... */
static int win_is_device(const char *part, size_t size)
{
    static const char names[] = "con\0prn\0aux\0nul\0com\0lpt\0";
    const char *dot = (const char *)memchr(part, '.', size), *name;

    size = dot ? (size_t)(dot - part) : size;
    while (size && part[size - 1] == ' ')
        size--;
    for (name = names; *name; name += 4)
        if (_strnicmp(part, name, 3) == 0 && (name - names < 16 ? size == 3 : size == 4) &&
            (size == 3 || (part[3] >= '0' && part[3] <= '9')))
            return 1;
    return 0;
}

static int system_readable(int fd)
{
    (void)fd;
    return 1;
}

/* Why a key can't be a path of a file here, or NULL. A backslash would lead elsewhere, a colon into
 * a hidden stream, and an end of '.' or ' ' is dropped. */
static const char *system_refuses(const char *key)
{
    const char *at;
    size_t size;

    for (at = key; *at; at += size + (at[size] == '/')) {
        size = strcspn(at, "/");
        if (strcspn(at, "<>:\"\\|?*") < size || win_is_device(at, size) ||
            (size && (at[size - 1] == '.' || at[size - 1] == ' ')))
            return "Windows has no files of this name";
    }
    for (at = key; *at; at++)
        if ((unsigned char)*at < ' ')
            return "Windows has no files of this name";
    return NULL;
}

#endif
