/* windows_files.c - the files of examples/s3_windows.h: offsets of more than 32 bits, open files that are
 * renamed and deleted, locks, times, names.
 *
 * SPDX-License-Identifier: MIT
 *
 * tests/windows.sh builds and runs it.
 */
#define _FILE_OFFSET_BITS 64
#include "check.h"
#include <stdint.h>
#include "../examples/s3_windows.h"

static const int64_t far_away = ((int64_t)5 << 30) + 3;

static void test_offsets(void)
{
    int fd = open("large.tmp", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    struct stat about;
    char got[4] = "";

    CHECK_INT(pwrite(fd, "abc", 3, far_away), 3);
    CHECK_INT(pwrite(fd, "xyz", 3, 3), 3);
    CHECK_INT(pread(fd, got, 3, far_away), 3);
    CHECK_MEM(got, "abc", 3);
    CHECK_INT(pread(fd, got, 3, far_away + 3), 0);
    CHECK_INT(fstat(fd, &about), 0);
    CHECK_INT(about.st_size, far_away + 3);
    CHECK_INT(lseek(fd, far_away, SEEK_SET), far_away);
    CHECK_INT(read(fd, got, 3), 3);
    CHECK_MEM(got, "abc", 3);
    CHECK_INT(ftruncate(fd, far_away), 0);
    CHECK_INT(stat("large.tmp", &about), 0);
    CHECK_INT(about.st_size, far_away);
    CHECK_INT(ftruncate(fd, 0), 0);
    CHECK_INT(close(fd), 0);
}

/* As on POSIX an open file can be renamed, over another one, and deleted; a lock ends with it. */
static void test_open_files(void)
{
    int fd = open("large.tmp", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666), other;
    const struct timespec times[2] = {{0, 0}, {1000000000, 500000000}};
    struct stat about, same;

    CHECK_INT(fstat(fd, &same), 0);
    CHECK_INT(lstat("large.tmp", &about), 0);
    CHECK(about.st_dev == same.st_dev && about.st_ino == same.st_ino);
    CHECK_INT(flock(fd, LOCK_EX | LOCK_NB), 0);
    other = open("large.tmp", O_RDWR | O_CLOEXEC);
    CHECK(other >= 0);
    CHECK_INT(flock(other, LOCK_EX | LOCK_NB), -1);
    CHECK_INT(write(other, "text", 4), 4); /* the lock doesn't keep others from its bytes */
    CHECK_INT(close(other), 0);
    other = open("z\xc5\x82.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    CHECK_INT(close(other), 0);
    CHECK_INT(futimens(fd, times), 0);
    CHECK_INT(rename("large.tmp", "z\xc5\x82.tmp"), 0);
    CHECK_INT(stat("large.tmp", &about), -1);
    CHECK_INT(errno, ENOENT);
    CHECK_INT(lstat("z\xc5\x82.tmp", &about), 0);
    CHECK_INT(fstat(fd, &same), 0);
    CHECK_INT(about.st_ino, same.st_ino);
    CHECK_INT(about.st_size, 4);
    CHECK_INT(about.st_mtime, 1000000000);
    CHECK_INT(about.st_mtim.tv_nsec, 500000000);
    CHECK(S_ISREG(about.st_mode));
    CHECK_INT(unlink("z\xc5\x82.tmp"), 0);
    CHECK_INT(close(fd), 0);
    CHECK_INT(access("z\xc5\x82.tmp", F_OK), -1);
    CHECK_INT(unlink("z\xc5\x82.tmp"), -1);
    CHECK_INT(errno, ENOENT);
    CHECK_INT(mkdir("folder.tmp", 0777), 0);
    CHECK_INT(mkdir("folder.tmp", 0777), -1);
    CHECK_INT(errno, EEXIST);
    CHECK_INT(stat("folder.tmp", &about), 0);
    CHECK(S_ISDIR(about.st_mode));
    CHECK_INT(stat("nul", &about), 0);
    CHECK(!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode));
    CHECK(RemoveDirectoryW(L"folder.tmp"));
}

static void test_names(void)
{
    static const char *const good[] = {"a/b", "console", "com/x", "nul-1", ".hidden", "a b", "com10",
                                       "\xe6\x97\xa5"};
    static const char *const bad[] = {"a:b", "..\\x", "a/con", "NUL.txt", "com1", "lpt9.x", "a./b", "a ",
                                      "what?", "a\tb", "aux /x"};
    char path[] = "c:\\a\\b/c";
    size_t i;

    for (i = 0; i < sizeof good / sizeof *good; i++)
        if (!CHECK(system_refuses(good[i]) == NULL))
            fprintf(stderr, "%s\n", good[i]);
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!CHECK(system_refuses(bad[i]) != NULL))
            fprintf(stderr, "%s\n", bad[i]);
    system_path(path);
    CHECK_STR(path, "c:/a/b/c");
}

static void ignore(int number)
{
    (void)number;
}

int main(int argc, char **argv)
{
    struct sigaction action = {ignore};
    DIR *here;
    int found = 0;

    system_begin(&argc, &argv);
    CHECK_INT(argc, 3);
    CHECK_STR(argv[1], "\xc5\x82 \xe6\x97\xa5");
    CHECK_STR(argv[2], "");
    CHECK(getenv("HOME") != NULL && getenv("AWS_IS_NOT_SET") == NULL);
    CHECK_INT(sigaction(SIGINT, &action, NULL), 0);
    CHECK(!isatty(0)); /* NUL */
    test_offsets();
    test_open_files();
    test_names();
    here = opendir(".");
    if (CHECK(here != NULL)) {
        const struct dirent *entry;

        while ((entry = readdir(here)) != NULL)
            found |= strcmp(entry->d_name, "windows_files.exe") == 0;
        CHECK_INT(closedir(here), 0);
    }
    CHECK(found);
    return CHECK_DONE();
}
