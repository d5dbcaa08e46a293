/* test_objects.c - the iterators of aws_s3.h against a small S3 in memory (script_s3.h).
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_objects.c -lbearssl && ./a.out [name of a test]
 *     TORTURE=full ./a.out              more sizes and cuts
 */
#define AWS_IMPLEMENTATION
#define AWS_NO_DEFAULT_PORT
#include "../aws_s3.h"
#include "check.h"
#include "script_port.h"
#include "script_s3.h"
#include <unistd.h>

static script s;
static s3_model model;
static aws_config config;
static aws_session session;
static aws_client client;
static aws_s3_bucket bucket;
static unsigned char memory[16384];
static int full; /* TORTURE=full */

static void setup(script_mode mode)
{
    script_init(&s, mode);
    s3_init(&model, &s);
    s.limit = 20000000;
    memset(&config, 0, sizeof config);
    config.access_key_id = "AKIDEXAMPLE";
    config.secret_access_key = "secret";
    config.region = "us-east-1";
    config.endpoint = "http://test.local:9000";
    config.port = &s.port;
    aws_session_init(&session, &config);
    CHECK_INT(aws_client_init(&client, &session, &aws_s3_service, memory, sizeof memory), 0);
    aws_s3_bucket_init(&bucket, &client, "bucket");
}

static void stop(void)
{
    int r;

    SCRIPT_RUN(r, &s, &client, aws_client_close(&client));
    CHECK_INT(r, 0);
    CHECK_INT(script_left_open(&s), 0);
    CHECK_INT(s.breaches, 0);
    aws_session_close(&session);
    s3_free(&model);
    script_free(&s);
}

/* ---- A listing, and what has to come out ---- */

enum { NOTHING, DELETE_IT, GET_OTHER, DELETE_ALL_SEEN };

typedef struct plan {
    aws_s3_args args;
    int what;       /* is called inside the loop */
    unsigned every; /* entry; 0: each one */
    int on_again;   /* also whenever next says AWS_AGAIN: a get, up to so many */
    int cancel;     /* each `every`-th time: cancel the client instead */
} plan;

typedef struct seen {
    char **names;
    size_t count, room;
    unsigned prefixes;
} seen;

static void see(seen *all, const char *name, size_t length)
{
    if (all->count == all->room) {
        all->room = all->room * 2 + 64;
        all->names = (char **)realloc(all->names, all->room * sizeof *all->names);
        if (!all->names)
            abort();
    }
    CHECK_INT((long)strlen(name), (long)length);
    all->names[all->count++] = s3_copy_of(name, length);
}

static void forget(seen *all)
{
    while (all->count)
        free(all->names[--all->count]);
    free(all->names);
    memset(all, 0, sizeof *all);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The keys and prefixes that a listing of the model's state must give, by the definition. */
static void expect(seen *all, const plan *p)
{
    const char *prefix = p->args.prefix ? p->args.prefix : "";
    const char *after = p->args.start_after ? p->args.start_after : "";
    size_t i;

    for (i = 0; i < model.count; i++) {
        const char *key = model.objects[i].name + strlen("bucket/"), *end;
        if (strncmp(key, prefix, strlen(prefix)) != 0 || strcmp(key, after) <= 0)
            continue;
        end = p->args.delimiter ? strstr(key + strlen(prefix), p->args.delimiter) : NULL;
        if (end) {
            size_t n = (size_t)(end - key) + strlen(p->args.delimiter);
            if (strncmp(after, key, n) == 0)
                continue;
            if (all->count && strncmp(all->names[all->count - 1], key, n) == 0 &&
                strlen(all->names[all->count - 1]) == n)
                continue;
            {
                char *name = s3_copy_of(key, n);
                see(all, name, n);
                free(name);
            }
        } else {
            see(all, key, strlen(key));
        }
    }
}

static char other[100];

static void interrupt_with(const plan *p, const aws_s3_summary *object)
{
    int r;

    if (p->cancel) {
        aws_client_cancel(&client);
        return;
    }
    if (p->what == DELETE_IT && object && !object->is_prefix) {
        SCRIPT_RUN(r, &s, &client, aws_s3_bucket_delete_key(&bucket, object->key));
        CHECK_INT(r, 0);
    } else {
        SCRIPT_RUN(r, &s, &client, aws_s3_bucket_get(&bucket, "~other", other, sizeof other, NULL));
        if (r == AWS_ERR_BUSY && !object)
            script_idle(&s, &client); /* next is asking for a page: no other call now */
        else
            CHECK_INT(r, 5);
    }
}

/* Run the listing: its result; all entries go to `all`. */
static int list(seen *all, const plan *p)
{
    static aws_s3_objects it;
    aws_s3_summary object;
    unsigned n = 0;
    int r, again = 0;

    r = aws_s3_objects_begin(&it, &bucket, &p->args);
    CHECK_INT(r, 0);
    for (;;) {
        r = aws_s3_objects_next(&it, &object);
        if (r == AWS_AGAIN) {
            if (again++ < p->on_again)
                interrupt_with(p, NULL);
            else if (!script_idle(&s, &client))
                break;
            continue;
        }
        if (r <= 0)
            break;
        if (all->count > model.count + 20000)
            return -1000; /* for ever */
        see(all, object.key, object.key_length);
        all->prefixes += object.is_prefix != 0;
        if (p->what != NOTHING && (!p->every || ++n % p->every == 0))
            interrupt_with(p, &object);
    }
    if (r != AWS_AGAIN) /* it stays */
        CHECK_INT(aws_s3_objects_next(&it, &object), r);
    return r;
}

/* Nothing lost, nothing twice. */
static int same(seen *got, seen *want)
{
    size_t i;

    if (got->count)
        qsort(got->names, got->count, sizeof *got->names, by_name);
    if (want->count)
        qsort(want->names, want->count, sizeof *want->names, by_name);
    for (i = 0; i < got->count && i < want->count; i++)
        if (strcmp(got->names[i], want->names[i]) != 0)
            break;
    if (i == want->count && i == got->count)
        return 1;
    fprintf(stderr, "%lu entries, not %lu; at %lu: got %.60s, not %.60s\n",
            (unsigned long)got->count, (unsigned long)want->count, (unsigned long)i,
            i < got->count ? got->names[i] : "(none)", i < want->count ? want->names[i] : "(none)");
    return 0;
}

/* Run it and compare with what the model holds before. */
static int check_list(const plan *p)
{
    seen got, want;
    int held;

    memset(&got, 0, sizeof got);
    memset(&want, 0, sizeof want);
    expect(&want, p);
    held = CHECK_INT(list(&got, p), 0);
    if (!held)
        fprintf(stderr, "%s\n", aws_client_failure_text(&client));
    held &= CHECK(same(&got, &want));
    if (held && !p->args.delimiter && p->what != NOTHING && !p->every && p->what == DELETE_IT)
        CHECK(model.count <= 1); /* ~other, if the prefix left it out */
    forget(&got);
    forget(&want);
    return held;
}

static void fill(unsigned count, const char *form)
{
    char name[300], key[200];
    unsigned i;

    for (i = 0; i < count; i++) {
        snprintf(key, sizeof key, form, i);
        snprintf(name, sizeof name, "bucket/%s", key);
        s3_put(&model, name, &"hello, world, hello, world"[i % 20], i % 7);
    }
}

static plan plain(void)
{
    plan p;

    memset(&p, 0, sizeof p);
    return p;
}

static const script_mode modes[] = {SCRIPT_WAITS, SCRIPT_NEVER_WAITS, SCRIPT_BLOCKS};

/* A listing with the prefix "k" leaves "~other" out; it sorts behind all others. */
static void put_other(void)
{
    s3_put(&model, "bucket/~other", "other", 5);
}

/* ---- Pages ---- */

static void test_pages(void)
{
    static const unsigned counts[] = {0, 1, 5, 10, 11, 30}, limits[] = {0, 1, 2, 3, 10};
    static const size_t chunks[] = {0, 1, 7, 1000};
    size_t m, c, l, k;

    for (m = 0; m < 3; m++)
        for (c = 0; c < 6; c++)
            for (l = 0; l < 5; l++)
                for (k = 0; k < 4; k++) {
                    plan p = plain();
                    unsigned pages = limits[l] ? (counts[c] + limits[l] - 1) / limits[l] : 1;
                    setup(modes[m]);
                    if (modes[m] == SCRIPT_NEVER_WAITS) {
                        s.again_always = 1;
                        s.split_read = (int)(1 + c);
                    }
                    model.chunk = chunks[k];
                    fill(counts[c], "k%04u");
                    p.args.max_keys = limits[l];
                    check_list(&p);
                    CHECK_INT(model.lists, pages ? pages : 1);
                    CHECK_INT(s.connection_count, 1);
                    stop();
                }
}

static void test_fields(void)
{
    static aws_s3_objects it;
    aws_s3_summary o;
    int r, round;
    static unsigned char page[4000];

    for (round = 0; round < 2; round++) { /* and out of page memory */
        aws_s3_args args;
        memset(&args, 0, sizeof args);
        args.page = page;
        args.page_size = sizeof page;
        args.delimiter = "/";
        setup(SCRIPT_WAITS);
        s3_put(&model, "bucket/a b+c", "xyz", 3);
        s3_put(&model, "bucket/b", "wxyz", 4);
        s3_put(&model, "bucket/c/d", "z", 1);
        put_other();
        aws_s3_objects_begin(&it, &bucket, &args);
        CHECK_INT(aws_s3_objects_next(&it, &o), 1);
        CHECK_STR(o.key, "a b+c");
        CHECK_INT((long)o.key_length, 5);
        CHECK_INT((long)o.size, 3);
        CHECK_INT(o.last_modified, 1767323045);
        CHECK_STR(o.storage_class, "GLACIER");
        CHECK_INT((long)strlen(o.etag), 10);
        CHECK_INT(o.is_prefix, 0);
        if (round)
            interrupt_with(&(plan){.what = GET_OTHER}, NULL);
        CHECK_STR(o.key, "a b+c"); /* the iterator's own: not touched by the call */
        CHECK_INT(aws_s3_objects_next(&it, &o), 1);
        CHECK_STR(o.key, "b");
        CHECK_INT((long)o.size, 4);
        CHECK_STR(o.storage_class, "");
        CHECK_INT(o.last_modified, 1767323045);
        CHECK_INT((long)strlen(o.etag), 10);
        CHECK_INT(aws_s3_objects_next(&it, &o), 1);
        CHECK_STR(o.key, "~other");
        CHECK_INT(aws_s3_objects_next(&it, &o), 1);
        CHECK_STR(o.key, "c/");
        CHECK_INT(o.is_prefix, 1);
        CHECK_INT((long)o.size, 0);
        CHECK_STR(o.etag, "");
        r = aws_s3_objects_next(&it, &o);
        CHECK_INT(r, 0);
        CHECK_INT(model.lists, 1);
        stop();
    }
}

static void test_arguments(void)
{
    static const char *const prefixes[] = {NULL, "", "k00", "k0001", "zz"};
    static const char *const afters[] = {NULL, "k0005", "k0005x", "a", "zzz"};
    static const char *const delimiters[] = {NULL, "/", "0", "01"};
    size_t i, j, d, m;

    for (m = 0; m < 3; m++)
        for (i = 0; i < 5; i++)
            for (j = 0; j < 5; j++)
                for (d = 0; d < 4; d++) {
                    plan p = plain();
                    setup(modes[m]);
                    fill(12, "k%04u");
                    fill(5, "k%02u/x/y");
                    model.page = 3;
                    model.interleaved = m == 1;
                    p.args.prefix = prefixes[i];
                    p.args.start_after = afters[j];
                    p.args.delimiter = delimiters[d];
                    p.args.fetch_owner = 1;
                    if (!check_list(&p))
                        fprintf(stderr, "prefix %s, after %s, delimiter %s\n", prefixes[i],
                                afters[j], delimiters[d]);
                    stop();
                }
    setup(SCRIPT_WAITS);
    {
        static char long_after[1100];
        plan p = plain();
        static aws_s3_objects it;
        aws_s3_summary o;
        memset(long_after, 'a', 1025);
        p.args.start_after = long_after;
        CHECK_INT(aws_s3_objects_begin(&it, &bucket, &p.args), AWS_ERR_PARAM);
        CHECK_INT(aws_s3_objects_next(&it, &o), AWS_ERR_PARAM);
        bucket.name = NULL;
        CHECK_INT(aws_s3_objects_begin(&it, &bucket, NULL), 0);
        CHECK_INT(aws_s3_objects_next(&it, &o), AWS_ERR_PARAM);
        CHECK_INT(s.opens, 0);
    }
    stop();
}

/* ---- Other calls inside the loop ---- */

static unsigned char page_memory[65536];

static void test_deletes(void)
{
    static const size_t sizes[] = {0, 1, 100, 1000, 4000, 65536};
    static const unsigned counts[] = {1, 2, 30, 300};
    size_t m, k, c;

    for (m = 0; m < 3; m++)
        for (k = 0; k < 6; k++)
            for (c = 0; c < 4; c++) {
                plan p = plain();
                setup(modes[m]);
                if (modes[m] == SCRIPT_NEVER_WAITS) {
                    s.again_per_256 = 100;
                    s.split_read = -1;
                }
                model.page = 100;
                fill(counts[c], "k%04u");
                put_other();
                p.what = DELETE_IT;
                p.args.prefix = "k";
                p.args.page = page_memory;
                p.args.page_size = sizes[k];
                if (!check_list(&p))
                    fprintf(stderr, "mode %d, page memory %lu, %u keys\n", (int)modes[m],
                            (unsigned long)sizes[k], counts[c]);
                stop();
            }
}

/* 10,000 deletions with 64 KB of page memory: at most 2 LISTs a page, one connection. */
static void test_deletes_many(void)
{
    plan p = plain();

    setup(SCRIPT_WAITS);
    fill(10000, "k%05u");
    put_other();
    p.what = DELETE_IT;
    p.args.prefix = "k";
    p.args.page = page_memory;
    p.args.page_size = sizeof page_memory;
    check_list(&p);
    if (!CHECK(model.lists <= 20))
        fprintf(stderr, "%u LISTs\n", model.lists);
    CHECK_INT(s.connection_count, 1);
    CHECK_INT(model.deletes, 10000);
    stop();
}

/* Without page memory: correct, and not a LIST of 1,000 keys for each deletion. */
static void test_deletes_bare(void)
{
    plan p = plain();
    uint64_t bytes = 0;
    unsigned i;

    setup(SCRIPT_WAITS);
    fill(1000, "k%05u");
    put_other();
    p.what = DELETE_IT;
    p.args.prefix = "k";
    check_list(&p);
    for (i = 0; i < s.connection_count; i++)
        bytes += s.connections[i].taken;
    if (!CHECK(model.lists <= 1010) || !CHECK(bytes < 1500000) || !CHECK(s.connection_count < 20))
        fprintf(stderr, "%u LISTs, %lu bytes, %u connections\n", model.lists, (unsigned long)bytes,
                s.connection_count);
    stop();
}

/* After interruptions pages get long again. */
static void test_pages_recover(void)
{
    static aws_s3_objects it;
    aws_s3_summary o;
    unsigned n = 0;
    int r;

    setup(SCRIPT_WAITS);
    fill(5000, "k%05u");
    put_other();
    aws_s3_objects_begin(&it, &bucket, &(aws_s3_args){.prefix = "k"});
    while ((r = aws_s3_objects_next(&it, &o)) > 0)
        if (n++ < 10)
            interrupt_with(&(plan){.what = GET_OTHER}, NULL);
    CHECK_INT(r, 0);
    CHECK_INT(n, 5000);
    if (!CHECK(model.lists < 40))
        fprintf(stderr, "%u LISTs\n", model.lists);
    stop();
}

static void test_delimiter(void)
{
    static const size_t sizes[] = {0, 1, 300, 1000, 65536};
    static const int whats[] = {GET_OTHER, DELETE_IT};
    size_t m, k, w, every, inter;

    for (m = 0; m < 3; m++)
        for (k = 0; k < 5; k++)
            for (w = 0; w < 2; w++)
                for (inter = 0; inter < 2; inter++)
                    for (every = 0; every < 4; every++) {
                        plan p = plain();
                        setup(modes[m]);
                        model.page = 7;
                        model.interleaved = (int)inter;
                        fill(25, "k%02u");
                        fill(10, "k%02u/x");
                        fill(10, "k%02u0/x");
                        fill(5, "k%02u0/y/z");
                        put_other();
                        p.what = whats[w];
                        p.every = (unsigned)every;
                        p.args.prefix = "k";
                        p.args.delimiter = "/";
                        p.args.page = page_memory;
                        p.args.page_size = sizes[k];
                        if (!check_list(&p))
                            fprintf(stderr,
                                    "mode %d, page memory %lu, what %d, interleaved %d, every %u\n",
                                    (int)modes[m], (unsigned long)sizes[k], whats[w], (int)inter,
                                    (unsigned)every);
                        stop();
                    }
}

/* Page memory of each small size: entries that don't fit are asked again. */
static void test_page_sizes(void)
{
    size_t size, step = full ? 1 : 3, w, d;

    for (size = 0; size < 1400; size += step)
        for (w = GET_OTHER; w <= GET_OTHER + 1; w++)
            for (d = 0; d < 2; d++) {
                plan p = plain();
                unsigned char *exact = (unsigned char *)malloc(size ? size : 1);
                setup(SCRIPT_WAITS);
                if (!exact)
                    abort();
                model.page = 9;
                fill(12, "k%02u-and-more");
                fill(6, "k%02u0/x");
                put_other();
                p.what = w == GET_OTHER ? GET_OTHER : DELETE_IT;
                p.args.prefix = "k";
                p.args.delimiter = d ? "/" : NULL;
                p.args.page = exact;
                p.args.page_size = size;
                if (!check_list(&p))
                    fprintf(stderr, "page memory %lu, what %d, delimiter %d\n", (unsigned long)size,
                            p.what, (int)d);
                free(exact);
                stop();
            }
}

/* Another call while an entry is half read, at every AWS_AGAIN. */
static void test_again(void)
{
    static const size_t sizes[] = {0, 60, 200, 4000};
    size_t k, d;
    int agains, split;

    for (k = 0; k < 4; k++)
        for (d = 0; d < 2; d++)
            for (split = 1; split < 90; split += full ? 1 : 6)
                for (agains = 1; agains < 40; agains += 7) {
                    plan p = plain();
                    setup(SCRIPT_NEVER_WAITS);
                    s.split_read = split;
                    s.again_always = 1;
                    s.what = "another call at each AWS_AGAIN";
                    model.page = 4;
                    fill(9, "k%02u");
                    fill(3, "k%02u/x");
                    put_other();
                    p.on_again = agains;
                    p.args.prefix = "k";
                    p.args.delimiter = d ? "/" : NULL;
                    p.args.page = page_memory;
                    p.args.page_size = sizes[k];
                    if (!check_list(&p)) {
                        fprintf(stderr, "page memory %lu, delimiter %d, split %d, agains %d\n",
                                (unsigned long)sizes[k], (int)d, split, agains);
                        if (check_failed > 20)
                            return;
                    }
                    stop();
                }
}

/* A call begun and given up while it saves the page; aws_client_cancel between two entries. */
static void test_cancel(void)
{
    static const size_t sizes[] = {0, 100, 4000};
    size_t k, d, steps;
    aws_s3_summary o;
    static aws_s3_objects it;

    for (k = 0; k < 3; k++)
        for (d = 0; d < 2; d++)
            for (steps = 0; steps < 60; steps++) {
                plan p = plain();
                seen got, want;
                int r;
                size_t i, n = 0;
                memset(&got, 0, sizeof got);
                memset(&want, 0, sizeof want);
                setup(SCRIPT_NEVER_WAITS);
                s.split_read = 40;
                s.again_always = 1;
                model.page = 5;
                fill(12, "k%02u");
                fill(3, "k%02u/x");
                put_other();
                p.args.prefix = "k";
                p.args.delimiter = d ? "/" : NULL;
                p.args.page = page_memory;
                p.args.page_size = sizes[k];
                expect(&want, &p);
                aws_s3_objects_begin(&it, &bucket, &p.args);
                for (;;) {
                    SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &o));
                    if (r <= 0)
                        break;
                    see(&got, o.key, o.key_length);
                    if (n++ % 2)
                        continue;
                    for (i = 0; i < steps; i++) {
                        r = aws_s3_bucket_get(&bucket, "~other", other, sizeof other, NULL);
                        if (r != AWS_AGAIN)
                            break;
                        script_idle(&s, &client);
                    }
                    aws_client_cancel(&client);
                    if (got.count > 200)
                        break;
                }
                if (!CHECK_INT(r, 0) || !CHECK(same(&got, &want)))
                    fprintf(stderr,
                            "page memory %lu, delimiter %d, cancelled after %lu steps: %s\n",
                            (unsigned long)sizes[k], (int)d, (unsigned long)steps,
                            aws_client_failure_text(&client));
                forget(&got);
                forget(&want);
                stop();
                if (check_failed > 20)
                    return;
            }
}

/* Two iterators and a third one take turns on one client. */
static void test_interleaved(void)
{
    static const size_t sizes[] = {0, 150, 4000};
    static aws_s3_objects it[2];
    static unsigned char pages[2][4000];
    size_t k, m, d, i;

    for (k = 0; k < 3; k++)
        for (m = 0; m < 3; m++)
            for (d = 0; d < 4; d++) {
                seen got[2], want[2];
                int r[2] = {1, 1};
                plan p[2];
                aws_s3_summary o;
                setup(modes[m]);
                if (modes[m] == SCRIPT_NEVER_WAITS) {
                    s.again_per_256 = 128;
                    s.split_read = -1;
                }
                model.page = 4;
                fill(13, "k%02u");
                fill(5, "k%02u/x");
                memset(got, 0, sizeof got);
                memset(want, 0, sizeof want);
                for (i = 0; i < 2; i++) {
                    p[i] = plain();
                    p[i].args.page = pages[i];
                    p[i].args.page_size = sizes[k];
                    p[i].args.delimiter = d >> i & 1 ? "/" : NULL;
                    p[i].args.start_after = i ? "k03" : NULL;
                    expect(want + i, p + i);
                    aws_s3_objects_begin(it + i, &bucket, &p[i].args);
                }
                while (r[0] > 0 || r[1] > 0)
                    for (i = 0; i < 2; i++) {
                        if (r[i] <= 0)
                            continue;
                        SCRIPT_RUN(r[i], &s, &client, aws_s3_objects_next(it + i, &o));
                        if (r[i] > 0)
                            see(got + i, o.key, o.key_length);
                        if (got[i].count > 200)
                            r[i] = -1000;
                    }
                for (i = 0; i < 2; i++) {
                    if (!CHECK_INT(r[i], 0) || !CHECK(same(got + i, want + i)))
                        fprintf(stderr,
                                "page memory %lu, mode %d, delimiters %d, iterator %d: %s\n",
                                (unsigned long)sizes[k], (int)modes[m], (int)d, (int)i,
                                aws_client_failure_text(&client));
                    forget(got + i);
                    forget(want + i);
                }
                stop();
            }
}

static void test_end(void)
{
    static aws_s3_objects it;
    aws_s3_summary o;
    size_t m, count;
    int r;

    for (m = 0; m < 3; m++)
        for (count = 0; count < 40; count += 13) {
            unsigned n;
            setup(modes[m]);
            model.page = 10;
            fill(30, "k%02u");
            put_other();
            aws_s3_objects_begin(&it, &bucket, NULL);
            for (n = 0; n < count; n++)
                SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &o));
            SCRIPT_RUN(r, &s, &client, aws_s3_objects_end(&it));
            CHECK_INT(r, 0);
            CHECK_INT(aws_s3_objects_next(&it, &o), 0);
            CHECK_INT(aws_s3_objects_end(&it), 0);
            interrupt_with(&(plan){.what = GET_OTHER}, NULL);
            CHECK_INT(s.connection_count, 1); /* what was left of the page was short */
            stop();
        }
}

/* A long page is left in the middle of what had come of it, in three ways: its end, a cancel, a
 * key that is too long. What follows doesn't meet the rest of it. */
static void test_left(void)
{
    static aws_s3_objects it;
    static char name[1200];
    aws_s3_summary o;
    size_t m, way;
    unsigned n;
    int r;

    for (m = 0; m < 3; m++)
        for (way = 0; way < 3; way++) {
            setup(modes[m]);
            fill(300, "k%03u");
            put_other();
            memset(name, 'x', 1032);
            memcpy(name, "bucket/k002", 11);
            if (way == 2)
                s3_put(&model, name, "x", 1);
            aws_s3_objects_begin(&it, &bucket, NULL);
            for (n = 0; n < 3; n++)
                SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &o));
            CHECK_INT(r, 1);
            if (way == 0)
                SCRIPT_RUN(r, &s, &client, aws_s3_objects_end(&it));
            else if (way == 1)
                r = aws_client_cancel(&client);
            else
                SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &o));
            CHECK_INT(r, way == 2 ? AWS_ERR_TOO_BIG : 0);
            CHECK(!client.piece);
            interrupt_with(&(plan){.what = GET_OTHER}, NULL);
            CHECK_INT(s.connection_count, 2); /* what was left of the page was long */
            stop();
        }
}

/* ---- Broken pages ---- */

/* Each LIST in turn is cut at every byte of its answer. */
static void test_cuts(void)
{
    size_t cut, step = full ? 1 : 11, d, a, k;
    unsigned which;

    for (d = 0; d < 3; d++)
        for (a = 0; a < 2; a++)
            for (k = 0; k < 2; k++)
                for (which = 1; which <= 4; which++)
                    for (cut = 1; cut < 2000; cut += step) {
                        plan p = plain();
                        setup(SCRIPT_WAITS);
                        model.page = 5;
                        model.chunk = cut % 2 ? 100 : 0;
                        model.cut_list = which;
                        model.cut_after = cut;
                        model.interleaved = d == 2;
                        fill(7, "k%02u");
                        fill(4, "k%02u-longer-than-the-others");
                        fill(4, "k%02u/x");
                        put_other();
                        p.what = k ? GET_OTHER : NOTHING;
                        p.every = 4;
                        p.args.prefix = "k";
                        p.args.start_after = a ? "k00-longer-than-the" : NULL;
                        p.args.delimiter = d ? "/" : NULL;
                        if (!check_list(&p)) {
                            fprintf(stderr,
                                    "delimiter %d, after %d, interrupts %d, LIST %u cut at %lu\n",
                                    (int)d, (int)a, (int)k, which, (unsigned long)cut);
                            if (check_failed > 30)
                                return;
                        }
                        stop();
                    }
}

/* Cut for ever: an error after the attempts, which stays, and never a 0. */
static void test_cut_for_ever(void)
{
    size_t cut;

    for (cut = 1; cut < 1500; cut += full ? 1 : 7) {
        plan p = plain();
        seen got, want;
        int r;
        memset(&got, 0, sizeof got);
        memset(&want, 0, sizeof want);
        setup(SCRIPT_WAITS);
        model.page = 5;
        model.cut_list = 2;
        model.cut_after = cut;
        model.cut_always = 1;
        fill(20, "k%02u");
        put_other();
        expect(&want, &p);
        r = list(&got, &p);
        CHECK(r == AWS_ERR_TRUNCATED || r == AWS_ERR_CLOSED || (r == 0 && same(&got, &want)));
        CHECK(r == 0 || got.count < want.count);
        model.cut_list = 0;
        interrupt_with(&(plan){.what = GET_OTHER}, NULL);
        forget(&got);
        forget(&want);
        stop();
    }
}

static void test_tokens(void)
{
    static const char *const delimiters[] = {NULL, "/"};
    size_t i, kind;

    for (kind = 0; kind < 4; kind++)
        for (i = 0; i < 2; i++) {
            plan p = plain();
            seen got;
            int r;
            memset(&got, 0, sizeof got);
            setup(SCRIPT_WAITS);
            s.what = "tokens";
            model.page = 5;
            fill(20, "k%02u");
            model.no_token = (unsigned)kind; /* on the first page, the second, the third */
            model.same_token = kind == 0;
            p.args.delimiter = delimiters[i];
            r = list(&got, &p);
            /* a plain listing goes on after its last key and needs no token */
            CHECK_INT(r, i ? AWS_ERR_PROTOCOL : 0);
            CHECK_INT((long)got.count, !i ? 20 : kind == 0 ? 10 : 5 * (long)kind);
            if (i)
                CHECK(strstr(aws_client_failure_text(&client), "token") != NULL);
            forget(&got);
            stop();
        }
}

static void test_empty_pages(void)
{
    static const char *const delimiters[] = {NULL, "/"};
    unsigned empties;
    size_t d, m, w;

    for (m = 0; m < 3; m++)
        for (d = 0; d < 2; d++)
            for (w = 0; w < 2; w++)
                for (empties = 1; empties < 4; empties++) {
                    plan p = plain();
                    setup(modes[m]);
                    model.page = 3;
                    model.empty_pages = empties;
                    fill(8, "k%02u");
                    fill(3, "k%02u/x");
                    put_other();
                    p.what = w ? GET_OTHER : NOTHING;
                    p.args.prefix = "k";
                    p.args.delimiter = delimiters[d];
                    if (!check_list(&p))
                        fprintf(stderr, "%u empty pages, delimiter %d, interrupts %d\n", empties,
                                (int)d, (int)w);
                    stop();
                }
}

/* <Error> in a 200: retried; in the middle of everything it isn't another call's failure. */
static void test_error_page(void)
{
    unsigned which;
    int again, split;

    for (which = 1; which < 4; which++)
        for (again = 0; again < 12; again++)
            for (split = 5; split < 60; split += 9) {
                plan p = plain();
                setup(SCRIPT_NEVER_WAITS);
                s.split_read = split;
                s.again_always = 1;
                model.page = 5;
                model.fail_list = which;
                fill(12, "k%02u");
                put_other();
                p.on_again = again;
                p.args.prefix = "k";
                if (!check_list(&p))
                    fprintf(stderr, "LIST %u fails, %d calls at AWS_AGAIN, split %d\n", which,
                            again, split);
                stop();
            }
}

/* The body's hash in the request is that of "hello". */
static const char hello_hash[] =
    "x-amz-content-sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\r\n";

/* The page turns out to be an <Error>, or falls silent, or is cut, while another call saves it:
 * that is the listing's trouble, not the other call's. */
static void test_trouble_while_saved(void)
{
    static aws_s3_objects it;
    size_t trouble, k;
    int split;

    for (trouble = 0; trouble < 3; trouble++)
        for (k = 0; k < 2; k++)
            for (split = 5; split < 400; split += 29) {
                aws_s3_args args;
                aws_s3_summary o;
                unsigned n = 0;
                int r, put;
                memset(&args, 0, sizeof args);
                setup(SCRIPT_NEVER_WAITS);
                s.split_read = split;
                s.again_always = 1;
                model.page = 5;
                model.fail_list = trouble == 0;
                fill(12, "k%02u");
                args.prefix = "k";
                args.page = page_memory;
                args.page_size = k ? 4000 : 0;
                if (trouble) {
                    model.cut_list = 1;
                    model.cut_after = 600;
                }
                aws_s3_objects_begin(&it, &bucket, &args);
                for (;;) { /* until the answer has begun */
                    r = aws_s3_objects_next(&it, &o);
                    n += r > 0;
                    if (r > 0 || (r == AWS_AGAIN && s.connections[0].taken > 5))
                        break;
                    if (r != AWS_AGAIN || !script_idle(&s, &client))
                        break;
                }
                if (trouble == 1) { /* silent instead of an end */
                    s.connections[0].fin = 0;
                    s.connections[0].silent = 1;
                }
                SCRIPT_RUN(put, &s, &client, aws_s3_bucket_put(&bucket, "z", "hello", 5, NULL));
                if (put != AWS_ERR_BUSY) { /* the head of the page had come */
                    unsigned i, found = 0;
                    CHECK_INT(put, 0);
                    CHECK_INT(s.sleep_count, 0); /* it needed no second attempt */
                    for (i = 0; i < s.connection_count; i++)
                        found += strstr(script_sent(&s, i), hello_hash) != NULL;
                    CHECK_INT(found, 1);
                }
                for (;;) {
                    SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &o));
                    if (r <= 0 || n > 100)
                        break;
                    n++;
                }
                if (!CHECK_INT(r, 0) || !CHECK_INT(n, 12))
                    fprintf(stderr, "trouble %d, page memory %d, split %d: %s\n", (int)trouble,
                            (int)k, split, aws_client_failure_text(&client));
                stop();
            }
}

/* A call that is refused inside the loop, or goes to another host, takes nothing away. */
static void test_refused_inside(void)
{
    static aws_s3_objects it;
    size_t m, k, kind;

    for (m = 0; m < 3; m++)
        for (k = 0; k < 2; k++)
            for (kind = 0; kind < 4; kind++) {
                aws_s3_args args, bad;
                aws_s3_summary o;
                unsigned n = 0;
                int r, refused;
                memset(&args, 0, sizeof args);
                memset(&bad, 0, sizeof bad);
                setup(modes[m]);
                model.page = 5;
                fill(12, "k%02u");
                put_other();
                args.prefix = "k";
                args.page = page_memory;
                args.page_size = k ? 4000 : 0;
                aws_s3_objects_begin(&it, &bucket, &args);
                for (;;) {
                    SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &o));
                    if (r <= 0 || n > 100)
                        break;
                    n++;
                    bad.bucket = kind == 0 ? "a/b" : kind == 1 ? "" : "bucket";
                    bad.key = kind == 2 ? "" : "x";
                    bad.prefix = kind == 3 ? "not a member" : NULL;
                    SCRIPT_RUN(refused, &s, &client, aws_s3_delete_object(&client, &bad, NULL));
                    CHECK_INT(refused, AWS_ERR_PARAM);
                }
                if (!CHECK_INT(r, 0) || !CHECK_INT(n, 12))
                    fprintf(stderr, "mode %d, page memory %d, kind %d: %s\n", (int)modes[m], (int)k,
                            (int)kind, aws_client_failure_text(&client));
                CHECK_INT(model.deletes, 0);
                stop();
            }
}

/* Virtual hosts: each call inside the loop needs another connection. */
static void serve_virtual(script *sc, const script_request *q)
{
    static char head[40000], target[20000];
    script_request path = *q;
    const char *host = strstr(q->head, "\r\nhost: ") + 8;

    snprintf(target, sizeof target, "/%.*s%s", (int)strcspn(host, "."), host, q->target);
    snprintf(head, sizeof head, "%.*s", (int)q->head_size, q->head);
    path.target =
        target[strlen(target) - 1] == '/' && !strchr(target + 1, '?') ? "/bucket" : target;
    if (strstr(target, "/?")) { /* "/bucket/?list-type=2": a listing */
        char *slash = strstr(target, "/?");
        memmove(slash, slash + 1, strlen(slash));
    }
    path.head = head;
    s3_serve(sc, &path);
}

static void test_other_hosts(void)
{
    static aws_s3_objects it;
    size_t m, k, d;

    for (m = 0; m < 3; m++)
        for (k = 0; k < 2; k++)
            for (d = 0; d < 2; d++) {
                aws_s3_args args;
                aws_s3_summary o;
                aws_s3_bucket second;
                unsigned n = 0;
                int r, got_other;
                memset(&args, 0, sizeof args);
                setup(modes[m]);
                session.config.addressing = AWS_ADDRESSING_VIRTUAL;
                s.serve = serve_virtual;
                model.page = 5;
                fill(12, "k%02u");
                fill(4, "k%02u/x");
                s3_put(&model, "second/x", "other", 5);
                aws_s3_bucket_init(&second, &client, "second");
                args.prefix = "k";
                args.delimiter = d ? "/" : NULL;
                args.page = page_memory;
                args.page_size = k ? 4000 : 0;
                aws_s3_objects_begin(&it, &bucket, &args);
                for (;;) {
                    SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &o));
                    if (r <= 0 || n > 100)
                        break;
                    n++;
                    SCRIPT_RUN(got_other, &s, &client,
                               aws_s3_bucket_get(&second, "x", other, sizeof other, NULL));
                    CHECK_INT(got_other, 5);
                }
                if (!CHECK_INT(r, 0) || !CHECK_INT(n, 16))
                    fprintf(stderr, "mode %d, page memory %d, delimiter %d: %s\n", (int)modes[m],
                            (int)k, (int)d, aws_client_failure_text(&client));
                CHECK_STR(s.connections[0].host, "bucket.test.local");
                CHECK_STR(s.connections[1].host, "second.test.local");
                stop();
            }
}

/* Connection: close on each page, and a port whose close takes its time. */
static void test_closing(void)
{
    static const size_t sizes[] = {0, 4000};
    int pending;
    size_t m, k, d, w;

    for (m = 0; m < 2; m++)
        for (k = 0; k < 2; k++)
            for (d = 0; d < 2; d++)
                for (w = NOTHING; w <= GET_OTHER; w++)
                    for (pending = 0; pending < 4; pending++) {
                        plan p = plain();
                        setup(modes[m]);
                        model.page = 4;
                        model.close_each = 1;
                        s.close_pending = s.open_pending = pending;
                        fill(9, "k%02u");
                        fill(3, "k%02u/x");
                        put_other();
                        p.what = (int)w;
                        p.args.prefix = "k";
                        p.args.delimiter = d ? "/" : NULL;
                        p.args.page = page_memory;
                        p.args.page_size = sizes[k];
                        if (!check_list(&p))
                            fprintf(stderr, "what %d, page memory %lu, delimiter %d, pending %d\n",
                                    p.what, (unsigned long)sizes[k], (int)d, pending);
                        stop();
                    }
}

static void test_missing_bucket(void)
{
    static aws_s3_objects it;
    aws_s3_summary o;

    setup(SCRIPT_WAITS);
    s.serve = NULL;
    s.steps = &(script_step){"HTTP/1.1 404 Not Found\r\nContent-Length: "
                             "39\r\n\r\n<Error><Code>NoSuchBucket</Code></Error>",
                             0, 0, 0};
    s.step_count = 1;
    aws_s3_objects_begin(&it, &bucket, NULL);
    CHECK_INT(aws_s3_objects_next(&it, &o), AWS_ERR_SERVICE);
    CHECK_INT(aws_s3_objects_next(&it, &o), AWS_ERR_SERVICE);
    CHECK_INT(aws_client_failure(&client)->http_status, 404);
    s.serve = s3_serve;
    stop();
}

/* ---- Keys ---- */

static void test_keys(void)
{
    static const char *const keys[] = {"//",
                                       "a/../b",
                                       ".",
                                       "..",
                                       "a b",
                                       "a+b",
                                       "a%b",
                                       "a%20b",
                                       "\x01\x02\x1f",
                                       "<&>\"'",
                                       "\xc3\xa9\xe2\x82\xac",
                                       "a\nb",
                                       "a\rb",
                                       "\x7f",
                                       "~",
                                       "a?b=c&d",
                                       "k",
                                       " ",
                                       "  x",
                                       "x ",
                                       "\xf0\x9f\x98\x80"};
    size_t i, escape, chunk, d;
    int split;

    for (escape = 0; escape < 2; escape++)
        for (split = 0; split < 4; split++)
            for (chunk = 0; chunk < 3; chunk++)
                for (d = 0; d < 2; d++) {
                    plan p = plain();
                    setup(SCRIPT_NEVER_WAITS);
                    s.split_read = split;
                    model.every_escape = (int)escape;
                    model.chunk = chunk;
                    model.page = 4;
                    for (i = 0; i < sizeof keys / sizeof *keys; i++) {
                        char name[100];
                        snprintf(name, sizeof name, "bucket/%s", keys[i]);
                        s3_put(&model, name, "x", 1);
                    }
                    put_other();
                    p.args.delimiter = d ? "/" : NULL;
                    p.what = chunk == 2 ? GET_OTHER : NOTHING;
                    check_list(&p);
                    stop();
                }
}

/* Keys of 1,024 bytes, each one escaped; with deletes, cuts and page memory. */
static void test_long_keys(void)
{
    static char name[1100];
    size_t i, w, d, sizes;

    for (w = 0; w < 3; w++)
        for (d = 0; d < 2; d++)
            for (sizes = 0; sizes < 5000; sizes += 1111) {
                plan p = plain();
                setup(SCRIPT_WAITS);
                s.split_read = 101;
                model.every_escape = 1;
                model.page = 3;
                model.cut_list = 2;
                model.cut_after = 5000;
                for (i = 0; i < 8; i++) {
                    strcpy(name, "bucket/");
                    memset(name + 7, '\xc3', 1024);
                    name[7 + 1024] = 0;
                    name[7 + 100 * i] = (char)('k' + i);
                    s3_put(&model, name, "x", 1);
                }
                put_other();
                p.what = w == 0 ? NOTHING : w == 1 ? GET_OTHER : DELETE_IT;
                p.args.delimiter = d ? "/" : NULL;
                p.args.page = page_memory;
                p.args.page_size = sizes;
                if (!check_list(&p))
                    fprintf(stderr, "what %d, delimiter %d, page memory %lu\n", p.what, (int)d,
                            (unsigned long)sizes);
                stop();
            }
}

/* A key or token longer than S3 allows is an error, never cut. */
static void test_too_long(void)
{
    static char name[1200];
    plan p = plain();
    seen got;

    memset(&got, 0, sizeof got);
    setup(SCRIPT_WAITS);
    strcpy(name, "bucket/");
    memset(name + 7, 'x', 1025);
    s3_put(&model, name, "x", 1);
    CHECK_INT(list(&got, &p), AWS_ERR_TOO_BIG);
    CHECK_INT((long)got.count, 0);
    forget(&got);
    stop();
}

/* ---- Buckets ---- */

static void test_buckets(void)
{
    static const char *const names[] = {"aaa", "bbb", "ccc", "ddd", "eee", "fff", "ggg", NULL};
    static aws_s3_objects it;
    size_t m, w, size;
    unsigned limit;
    int r;

    for (m = 0; m < 3; m++)
        for (w = 0; w < 3; w++)
            for (size = 0; size < 200; size += 50)
                for (limit = 0; limit < 9; limit++) {
                    aws_s3_args args;
                    aws_s3_summary o;
                    unsigned n = 0;
                    memset(&args, 0, sizeof args);
                    setup(modes[m]);
                    put_other();
                    model.buckets = names;
                    model.cut_list = w == 2 ? 2 : 0;
                    model.cut_after = 300;
                    args.max_buckets = limit;
                    args.page = page_memory;
                    args.page_size = size;
                    aws_s3_buckets_begin(&it, &client, &args);
                    for (;;) {
                        SCRIPT_RUN(r, &s, &client, aws_s3_objects_next(&it, &o));
                        if (r <= 0 || n > 7)
                            break;
                        CHECK_STR(o.key, n < 7 ? names[n] : "(none)");
                        CHECK_INT(o.last_modified, 1767323045);
                        n++;
                        if (w == 1)
                            interrupt_with(&(plan){.what = GET_OTHER}, NULL);
                    }
                    if (!CHECK_INT(r, 0) || !CHECK_INT(n, 7))
                        fprintf(stderr, "mode %d, what %d, page memory %lu, max_buckets %u: %s\n",
                                (int)modes[m], (int)w, (unsigned long)size, limit,
                                aws_client_failure_text(&client));
                    stop();
                }
}

/* ---- All of them ---- */

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, test_##name                                                                         \
    }

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {TEST(pages),
             TEST(fields),
             TEST(arguments),
             TEST(deletes),
             TEST(deletes_many),
             TEST(deletes_bare),
             TEST(pages_recover),
             TEST(delimiter),
             TEST(page_sizes),
             TEST(again),
             TEST(cancel),
             TEST(interleaved),
             TEST(end),
             TEST(left),
             TEST(cuts),
             TEST(cut_for_ever),
             TEST(tokens),
             TEST(empty_pages),
             TEST(error_page),
             TEST(trouble_while_saved),
             TEST(refused_inside),
             TEST(other_hosts),
             TEST(closing),
             TEST(missing_bucket),
             TEST(keys),
             TEST(long_keys),
             TEST(too_long),
             TEST(buckets)};

int main(int argc, char **argv)
{
    const char *torture = getenv("TORTURE");
    size_t i;

    full = torture && strcmp(torture, "full") == 0;
    alarm(full ? 6000 : 2000);
    for (i = 0; i < sizeof tests / sizeof *tests; i++) {
        unsigned long failed = check_failed;
        if (argc > 1 && strcmp(argv[1], tests[i].name) != 0)
            continue;
        s.what = tests[i].name;
        tests[i].run();
        if (check_failed != failed)
            fprintf(stderr, "^ in test %s\n", tests[i].name);
    }
    return CHECK_DONE();
}
