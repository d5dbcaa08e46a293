/* test_dns.c - names looked up by port/dns.h, by a name server of its own on the loopback.
 *
 * SPDX-License-Identifier: MIT
 *
 *     cc -I. tests/test_dns.c -lbearssl -lpthread && ./a.out
 */
#define _POSIX_C_SOURCE 200809L
#define AWS_STATIC
#define AWS_IMPLEMENTATION
#define AWS_POSIX_NO_HEAP
static char     hosts_path[64], configuration_path[64];
static unsigned server_port;
#define AWS_I_DNS_HOSTS hosts_path
#define AWS_I_DNS_CONFIGURATION configuration_path
#define AWS_I_DNS_PORT server_port
#include "aws.h"

#include <pthread.h>
#include <stdlib.h>
#include "check.h"

static int      server;
static unsigned asked; /* questions that came */

/* ---- The name server: what the name's first label says ---- */

static size_t record(unsigned char *to, unsigned type, const void *data, size_t size)
{
    static const unsigned char begin[] = {0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 60, 0, 0};

    memcpy(to, begin, sizeof begin);
    to[3] = (unsigned char)type;
    to[11] = (unsigned char)size;
    memcpy(to + sizeof begin, data, size);
    return sizeof begin + size;
}

/* The answer to a question in the same memory: its size, 0 none. */
static size_t reply(unsigned char *m, size_t size, const char *label)
{
    static const unsigned char alias[] = {3, 'w', 'w', 'w', 0xc0, 12}, loop[] = {0xc0, 12},
                               v6[16] = {0x20, 1, 0xd, 0xb8, 1};
    unsigned char v4[4] = {10, 0, 0, 0};
    unsigned type = m[size - 3], i, count = 0;

    m[2] = 0x81;
    m[3] = 0x80;
    if (strcmp(label, "none") == 0)
        m[3] = 0x83;
    if (strcmp(label, "fail") == 0)
        m[3] = 0x82;
    if (strcmp(label, "silent") == 0 || (strcmp(label, "second") == 0 && asked == 1))
        return 0;
    if (strcmp(label, "loop") == 0)
        size += record(m + size, 5, loop, sizeof loop), count++;
    if (label[0] == 'a' && type == AWS_I_DNS_A) {
        size += record(m + size, 5, alias, sizeof alias);
        for (i = 1; i <= (unsigned)atoi(label + 1); i++) {
            v4[3] = (unsigned char)i;
            size += record(m + size, type, v4, 4);
        }
        count += i;
    }
    if (strcmp(label, "odd") == 0) { /* not an address, whatever it says */
        size += record(m + size, AWS_I_DNS_A, v6, 16);
        size += record(m + size, AWS_I_DNS_AAAA, v4, 4);
        count += 2;
    }
    if ((strcmp(label, "six") == 0 || strcmp(label, "a2-six") == 0) && type == AWS_I_DNS_AAAA)
        size += record(m + size, type, v6, 16), count++;
    m[7] = (unsigned char)count;
    if (strcmp(label, "a3-cut") == 0) {
        m[2] |= AWS_I_DNS_CUT;
        size -= 5;
    }
    if (strcmp(label, "a1-cut") == 0)
        size -= 1;
    return size;
}

static void *serve(void *nothing)
{
    unsigned char m[1024];
    struct sockaddr_in from;
    socklen_t length;
    char label[64];
    size_t size;
    ssize_t n;

    for (;;) {
        length = sizeof from;
        n = recvfrom(server, m, sizeof m, 0, (struct sockaddr *)&from, &length);
        if (n < 12)
            return nothing;
        asked++;
        memcpy(label, m + 13, m[12]);
        label[m[12]] = 0;
        if (strncmp(label, "found", 5) == 0 && memcmp(m + 18, "\1b\4test", 7) != 0)
            strcpy(label, "none"); /* it is below b.test only */
        else if (strncmp(label, "found", 5) == 0)
            strcpy(label, "a1");
        if (strcmp(label, "a1-wrong") == 0) { /* another id, another question, no answer; all late */
            unsigned char other[1024];

            size = reply(m, (size_t)n, "a9");
            memcpy(other, m, size);
            other[0] ^= 1;
            (void)sendto(server, other, size, 0, (struct sockaddr *)&from, length);
            memcpy(other, m, size);
            other[14] ^= 1;
            (void)sendto(server, other, size, 0, (struct sockaddr *)&from, length);
            memcpy(other, m, size);
            other[2] = 1;
            (void)sendto(server, other, size, 0, (struct sockaddr *)&from, length);
            (void)sendto(server, m, 11, 0, (struct sockaddr *)&from, length);
            m[7] = 0;
        }
        size = reply(m, (size_t)n, label);
        if (size)
            (void)sendto(server, m, size, 0, (struct sockaddr *)&from, length);
    }
}

/* ---- Looking up ---- */

static aws_i_sockets c;

static int look_up(const char *name, int family)
{
    memset(&c, 0, sizeof c);
    asked = 0;
    return aws_i_sockets_lookup(&c, name, family);
}

static const char *address(unsigned at)
{
    static char text[INET6_ADDRSTRLEN];

    text[0] = 0;
    if (at < c.count)
        (void)inet_ntop((c.v6 >> at & 1) != 0 ? AF_INET6 : AF_INET, c.address[at].bytes, text,
                        sizeof text);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (!CHECK(file != NULL))
        return;
    fputs(text, file);
    fclose(file);
}

static void test_text(void)
{
    CHECK_INT(look_up("192.0.2.7", AF_UNSPEC), 0);
    CHECK_INT(c.count, 1);
    CHECK_STR(address(0), "192.0.2.7");
    CHECK_INT(c.asked, 1);
    CHECK_INT(c.error, 0);
    CHECK_INT(look_up("::1", AF_UNSPEC), 0);
    CHECK_STR(address(0), "::1");
    CHECK_INT(look_up("", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(asked, 0);
}

static void test_hosts(void)
{
    write_file(hosts_path, "# 10.9.9.9 box\n"
                           "10.1.1.1\tbox.local Box # box2\n"
                           "fd00::5 box;x\r\n"
                           "not-an-address box\n"
                           "10.1.1.2 other box");
    CHECK_INT(look_up("BOX", AF_UNSPEC), 0);
    CHECK_INT(c.count, 3);
    CHECK_STR(address(0), "10.1.1.1");
    CHECK_STR(address(1), "fd00::5");
    CHECK_STR(address(2), "10.1.1.2");
    CHECK_INT(look_up("box", AF_INET6), 0);
    CHECK_INT(c.count, 1);
    CHECK_STR(address(0), "fd00::5");
    CHECK_INT(look_up("box.local", AF_UNSPEC), 0);
    CHECK_INT(c.count, 1);
    CHECK_INT(asked, 0);
    write_file(hosts_path, "");
}

static void test_answers(void)
{
    write_file(configuration_path, "nameserver 127.0.0.1\noptions timeout:30 attempts:2\n");
    CHECK_INT(look_up("a3.test", AF_UNSPEC), 0);
    CHECK_INT(c.count, 3);
    CHECK_INT(asked, 1);
    CHECK_STR(address(0), "10.0.0.1");
    CHECK_STR(address(2), "10.0.0.3");
    CHECK_INT(look_up("a9.test.", AF_UNSPEC), 0);
    CHECK_INT(c.count, AWS_I_SOCKETS_ADDRESSES);
    CHECK_INT(look_up("six.test", AF_UNSPEC), 0);
    CHECK_INT(c.count, 1);
    CHECK_STR(address(0), "2001:db8:100::");
    CHECK_INT(asked, 2);
    CHECK_INT(look_up("loop.test", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(look_up("odd.test", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(look_up("none.test", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(c.error, EAI_NONAME);
    CHECK_INT(look_up("a1-wrong.test", AF_UNSPEC), 0);
    CHECK_INT(c.count, 1);
    CHECK_STR(address(0), "10.0.0.1");
    CHECK_INT(look_up("a3-cut.test", AF_UNSPEC), 0); /* the last one is missing */
    CHECK_INT(c.count, 2);
    CHECK_INT(look_up("a1-cut.test", AF_INET), AWS_ERR_LOOKUP);
    CHECK_INT(c.error, EAI_AGAIN);
}

static void test_servers(void)
{
    write_file(configuration_path, "nameserver 127.0.0.9\n nameserver 127.0.0.1 # ours\n"
                                   "options attempts:2 timeout:10\n");
    CHECK_INT(look_up("a1.test", AF_UNSPEC), 0); /* nobody is at the first */
    CHECK_INT(asked, 1);
    CHECK_INT(look_up("second.test", AF_INET), AWS_ERR_LOOKUP); /* at the second attempt: no address */
    CHECK_INT(asked, 2);
    CHECK_INT(c.error, EAI_NONAME);
    CHECK_INT(look_up("fail.test", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(c.error, EAI_AGAIN);
    write_file(configuration_path, "nameserver 127.0.0.9\n nameserver 127.0.0.1 # ours\n"
                                   "options attempts:2 timeout:1\n");
    CHECK_INT(look_up("silent.test", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(c.error, EAI_AGAIN);
    CHECK_INT(asked, 2);
    write_file(configuration_path, "nameserver 127.0.0.9\noptions attempts:0 timeout:0\n");
    CHECK_INT(look_up("a1.test", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK(unlink(configuration_path) == 0);
    CHECK_INT(look_up("a1.test", AF_UNSPEC), 0); /* without the file: 127.0.0.1 */
}

static void test_search(void)
{
    write_file(configuration_path, "domain c.test\nsearch a.test\tb.test\nnameserver 127.0.0.1\n"
                                   "options timeout:30\n");
    CHECK_INT(look_up("found", AF_UNSPEC), 0);
    CHECK_INT(asked, 3); /* below a.test neither IPv4 nor IPv6 */
    CHECK_INT(look_up("found.", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(look_up("a1", AF_UNSPEC), 0);
    CHECK_INT(asked, 1);
    write_file(configuration_path, "search a.test b.test\noptions timeout:30 ndots:2\n");
    CHECK_INT(look_up("found.b", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(asked, 6);
    write_file(configuration_path, "search a.test b.test\noptions timeout:30 ndots:1\n");
    CHECK_INT(look_up("none.test", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(asked, 2);
}

/* Names that can't be asked for. */
static void test_names(void)
{
    char name[300];

    write_file(configuration_path, "nameserver 127.0.0.1\n");
    CHECK_INT(look_up(".", AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(look_up("a..b", AF_UNSPEC), AWS_ERR_LOOKUP);
    memset(name, 'x', sizeof name);
    name[64] = 0;
    CHECK_INT(look_up(name, AF_UNSPEC), AWS_ERR_LOOKUP);
    name[64] = 'x';
    name[299] = 0;
    CHECK_INT(look_up(name, AF_UNSPEC), AWS_ERR_LOOKUP);
    name[255] = 0;
    name[50] = name[100] = name[150] = name[200] = '.';
    CHECK_INT(look_up(name, AF_UNSPEC), AWS_ERR_LOOKUP);
    CHECK_INT(asked, 0);
    memcpy(name, "a1.", 3);
    name[253] = 0;
    CHECK_INT(look_up(name, AF_UNSPEC), 0);
    CHECK_INT(asked, 1);
}

/* Answers with bytes changed and cut anywhere, each in memory of just its size. */
static void test_hostile(void)
{
    unsigned char question[512], *copy;
    size_t begin = aws_i_dns_ask(question, "a4.test", AWS_I_DNS_A), size, cut;
    unsigned random = 1, i, j;

    size = reply(question, begin, "a4");
    for (i = 0; i < 20000; i++) {
        cut = i < size ? i : size;
        copy = (unsigned char *)malloc(size);
        if (copy == NULL)
            return;
        memcpy(copy + size - cut, question, cut);
        for (j = 0; j < (i & 3); j++) {
            random = random * 1103515245u + 12345;
            if (cut > begin)
                copy[size - cut + begin + (random >> 8) % (cut - begin)] = (unsigned char)(random >> 20);
        }
        memset(&c, 0, sizeof c);
        if (cut >= begin)
            (void)aws_i_dns_answer(&c, copy + size - cut, cut, begin, AWS_I_DNS_A);
        free(copy);
        if (c.count > 4 && !CHECK_INT(c.count, 4))
            return;
    }
    CHECK_INT(i, 20000);
}

int main(void)
{
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    pthread_t thread;

    snprintf(hosts_path, sizeof hosts_path, "/tmp/test_dns.%ld.hosts", (long)getpid());
    snprintf(configuration_path, sizeof configuration_path, "/tmp/test_dns.%ld.conf", (long)getpid());
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server = socket(AF_INET, SOCK_DGRAM, 0);
    if (!CHECK(bind(server, (struct sockaddr *)&name, sizeof name) == 0 &&
               getsockname(server, (struct sockaddr *)&name, &length) == 0 &&
               pthread_create(&thread, NULL, serve, NULL) == 0))
        return CHECK_DONE();
    server_port = ntohs(name.sin_port);
    test_text();
    test_hosts();
    test_answers();
    test_servers();
    test_search();
    test_names();
    test_hostile();
    (void)unlink(hosts_path);
    (void)unlink(configuration_path);
    return CHECK_DONE();
}
