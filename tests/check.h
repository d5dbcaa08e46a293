/* check.h - what the tests check with.
 *
 * SPDX-License-Identifier: MIT
 *
 *     CHECK(condition);                 CHECK_INT(got, want);      any integers
 *     CHECK_STR(got, want);             CHECK_MEM(got, want, size);
 *     check_finds(memory, size, text)   whether the text is anywhere in it
 *     check_says = function             gives a text that is printed with each failure
 *     return CHECK_DONE();              prints "test_x: N passed, N failed"; the exit code
 *
 * A check that fails prints its place and both values to stderr, and the test goes on. Each is an
 * expression, 1 if it held, and evaluates its arguments once: if (!CHECK(p != NULL)) return;
 */
#ifndef CHECK_INCLUDED
#define CHECK_INCLUDED

#include <stdio.h>
#include <string.h>
#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

static unsigned long check_passed, check_failed;
/* What else a check that fails prints, if set: how the last call went. */
static const char *(*check_says)(void);

#define CHECK(condition) check_true((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define CHECK_INT(got, want)                                                                      \
    check_int((long long)(got), (long long)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_str((got), (want), #got, __FILE__, __LINE__)
#define CHECK_MEM(got, want, size) check_mem((got), (want), (size), #got, __FILE__, __LINE__)
#define CHECK_DONE() check_done(__FILE__)

/* Count a check. 1 if its failure is to be printed: a loop must not drown the first ones. */
static inline int check_count(int held)
{
    if (held) {
        check_passed++;
        return 0;
    }
    return ++check_failed <= 50;
}

static inline void check_more(void)
{
    const char *text = check_says ? check_says() : NULL;

    if (text && *text)
        fprintf(stderr, "    the last call: %s\n", text);
}

static inline int check_true(int held, const char *what, const char *file, int line)
{
    if (check_count(held)) {
        fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
        check_more();
    }
    return held;
}

static inline int check_int(long long got, long long want, const char *what, const char *file,
                            int line)
{
    if (check_count(got == want)) {
        fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, got, want);
        check_more();
    }
    return got == want;
}

static inline int check_str(const char *got, const char *want, const char *what, const char *file,
                            int line)
{
    int same = got == NULL || want == NULL ? got == want : strcmp(got, want) == 0;

    if (check_count(same)) {
        fprintf(stderr, "%s:%d: %s is\n  \"%s\", not\n  \"%s\"\n", file, line, what,
                got ? got : "(NULL)", want ? want : "(NULL)");
        check_more();
    }
    return same;
}

static inline int check_mem(const void *got, const void *want, size_t size, const char *what,
                            const char *file, int line)
{
    const unsigned char *a = (const unsigned char *)got, *b = (const unsigned char *)want;
    size_t at = 0;
    int same;

    while (at < size && a[at] == b[at])
        at++;
    same = at == size;
    if (check_count(same)) {
        fprintf(stderr, "%s:%d: %s differs at byte %lu of %lu: 0x%02x, not 0x%02x\n", file, line,
                what, (unsigned long)at, (unsigned long)size, (unsigned)a[at], (unsigned)b[at]);
        check_more();
    }
    return same;
}

/* For what must be wiped: padding and what was never written are looked at, too. */
static inline int check_finds(const void *memory, size_t size, const char *text)
{
    const unsigned char *at = (const unsigned char *)memory;
    size_t length = strlen(text);

#ifdef VALGRIND_MAKE_MEM_DEFINED
    (void)VALGRIND_MAKE_MEM_DEFINED(memory, size);
#endif
    for (; size >= length; at++, size--)
        if (memcmp(at, text, length) == 0)
            return 1;
    return 0;
}

/* No check at all is a failure too. */
static inline int check_done(const char *file)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    const char *dot = strrchr(name, '.');
    int length = (int)(dot ? (size_t)(dot - name) : strlen(name));

    printf("%.*s: %lu passed, %lu failed\n", length, name, check_passed, check_failed);
    fflush(stdout);
    return check_failed != 0 || check_passed == 0;
}

#endif /* CHECK_INCLUDED */
