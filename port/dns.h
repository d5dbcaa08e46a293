/* dns.h - host names looked up without libc, for the posix port: no allocation, 20 KB less in a
 * static binary with musl, 190 KB less with glibc, which then needs no shared library for it.
 *
 * SPDX-License-Identifier: MIT
 *
 *     #define AWS_POSIX_NO_HEAP
 *     #define AWS_IMPLEMENTATION
 *     #include "aws_s3.h"
 *
 * Addresses as text, /etc/hosts, then the name servers of /etc/resolv.conf with its search, domain,
 * ndots, timeout and attempts, as musl does it. It blocks as getaddrinfo does. IPv4 comes first;
 * IPv6 is asked for if there is no IPv4 address, or none that answers. Of an answer that was cut
 * short because it has more than 512 bytes, what came is taken: some 20 addresses. There is no
 * nsswitch.conf, mDNS or NIS; the name server does the DNSSEC.
 */
#ifndef AWS_DNS_INCLUDED
#define AWS_DNS_INCLUDED

#ifndef AWS_I_DNS_HOSTS /* tests have others */
#define AWS_I_DNS_HOSTS "/etc/hosts"
#define AWS_I_DNS_CONFIGURATION "/etc/resolv.conf"
#define AWS_I_DNS_PORT 53
#endif

enum {
    AWS_I_DNS_A = 1,
    AWS_I_DNS_AAAA = 28,
    AWS_I_DNS_NAME = 256,
    AWS_I_DNS_HEAD = 12,
    AWS_I_DNS_MESSAGE = 512,
    AWS_I_DNS_CUT = 2 /* in byte 2 of a head */
};

/* -- Words of a file: blanks between them, comments after # or ; -- */

typedef struct aws_i_dns_words {
    int      file;
    unsigned at, filled;
    char     data[512], word[AWS_I_DNS_NAME];
} aws_i_dns_words;

/* The next one: 1, 0 at the end of a line, -1 at the file's. One that is too long is cut. */
static int aws_i_dns_word(aws_i_dns_words *w)
{
    unsigned size = 0, comment = 0;
    ssize_t n;
    char c;

    for (;;) {
        if (w->at == w->filled) {
            n = w->file < 0 ? 0 : read(w->file, w->data, sizeof w->data);
            if (n <= 0)
                break;
            w->at = 0;
            w->filled = (unsigned)n;
        }
        c = w->data[w->at];
        if (size != 0 && (c == '\n' || c == ' ' || c == '\t' || c == '\r' || c == '#' || c == ';'))
            break;
        w->at++;
        if (c == '\n')
            return 0;
        comment |= c == '#' || c == ';';
        if (comment == 0 && c != ' ' && c != '\t' && c != '\r' && size < sizeof w->word - 1)
            w->word[size++] = c;
    }
    w->word[size] = '\0';
    return size != 0 ? 1 : -1;
}

static void aws_i_dns_read(aws_i_dns_words *w, const char *path)
{
    w->at = w->filled = 0;
    w->file = open(path, O_RDONLY | O_CLOEXEC);
}

static void aws_i_dns_close(const aws_i_dns_words *w)
{
    if (w->file >= 0)
        (void)close(w->file);
}

/* Names and the options' words: the case of ASCII letters doesn't matter. */
static int aws_i_dns_same(const char *a, const char *b)
{
    while (*a != '\0' &&
           (*a == *b || ((*a ^ *b) == 0x20 && (*a | 0x20) >= 'a' && (*a | 0x20) <= 'z')))
        a++, b++;
    return *a == *b;
}

/* -- Addresses -- */

static void aws_i_dns_note(aws_i_sockets *c, int family, const void *bytes)
{
    if (c->count == AWS_I_SOCKETS_ADDRESSES)
        return;
    c->address[c->count].scope = 0;
    memcpy(c->address[c->count].bytes, bytes, family == AF_INET6 ? 16 : 4);
    if (family == AF_INET6)
        c->v6 = (unsigned char)(c->v6 | 1u << c->count);
    c->count++;
}

/* An address as text, of that family or of any: 1, or 0 if it isn't. */
static int aws_i_dns_text(aws_i_sockets *c, const char *text, int family)
{
    unsigned char bytes[16];
    int of = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

    if ((family != AF_UNSPEC && family != of) || inet_pton(of, text, bytes) != 1)
        return 0;
    aws_i_dns_note(c, of, bytes);
    return 1;
}

static void aws_i_dns_hosts(aws_i_sockets *c, const char *host, int family)
{
    char address[64] = "";
    aws_i_dns_words w;
    unsigned number = 0;
    int r;

    aws_i_dns_read(&w, AWS_I_DNS_HOSTS);
    while ((r = aws_i_dns_word(&w)) >= 0) {
        if (r == 0)
            number = 0;
        else if (number++ == 0)
            (void)memcpy(address, w.word, sizeof address - 1); /* an address is shorter */
        else if (aws_i_dns_same(w.word, host))
            (void)aws_i_dns_text(c, address, family);
    }
    aws_i_dns_close(&w);
}

/* -- Configuration -- */

typedef struct aws_i_dns {
    aws_i_sockets servers; /* their addresses */
    unsigned      dots;    /* in a name that isn't searched for below the domains of search */
    unsigned      timeout; /* seconds */
    unsigned      attempts;
    char          search[AWS_I_DNS_NAME]; /* each with a blank behind */
} aws_i_dns;

/* option:3 */
static void aws_i_dns_option(const char *word, const char *option, unsigned *value)
{
    size_t size = strlen(option);

    if (strncmp(word, option, size) == 0 && word[size] >= '0' && word[size] <= '9')
        *value = (unsigned)(word[size] - '0') * (word[size + 1] != '\0' ? 10 : 1);
}

static void aws_i_dns_configure(aws_i_dns *dns)
{
    enum { OTHER, SERVER, SEARCH, OPTIONS } what = OTHER;
    aws_i_dns_words w;
    int r, first = 1;
    size_t used = 0, size;

    memset(dns, 0, sizeof *dns);
    dns->dots = 1;
    dns->timeout = 5;
    dns->attempts = 2;
    aws_i_dns_read(&w, AWS_I_DNS_CONFIGURATION);
    while ((r = aws_i_dns_word(&w)) >= 0) {
        size = strlen(w.word);
        if (r > 0 && first) {
            what = strcmp(w.word, "nameserver") == 0 ? SERVER
                   : strcmp(w.word, "search") == 0 || strcmp(w.word, "domain") == 0 ? SEARCH
                   : strcmp(w.word, "options") == 0 ? OPTIONS
                                                    : OTHER;
            used = what == SEARCH ? 0 : used; /* the last such line counts */
        } else if (r > 0 && what == SERVER && dns->servers.count < 3) {
            (void)aws_i_dns_text(&dns->servers, w.word, AF_UNSPEC);
        } else if (r > 0 && what == SEARCH && size + 2 <= sizeof dns->search - used) {
            memcpy(dns->search + used, w.word, size);
            dns->search[used + size] = ' ';
            used += size + 1;
        } else if (r > 0 && what == OPTIONS) {
            aws_i_dns_option(w.word, "ndots:", &dns->dots);
            aws_i_dns_option(w.word, "timeout:", &dns->timeout);
            aws_i_dns_option(w.word, "attempts:", &dns->attempts);
        }
        first = r == 0;
    }
    aws_i_dns_close(&w);
    dns->timeout += dns->timeout == 0;
    dns->attempts += dns->attempts == 0;
    dns->search[used] = '\0';
    if (dns->servers.count == 0)
        (void)aws_i_dns_text(&dns->servers, "127.0.0.1", AF_UNSPEC);
}

/* -- Questions and answers -- */

/* The message's size, or 0 if the name can't be asked for. */
static size_t aws_i_dns_ask(unsigned char *message, const char *name, unsigned type)
{
    size_t at = AWS_I_DNS_HEAD, label;

    memset(message, 0, AWS_I_DNS_HEAD);
    message[2] = 1; /* ask others for it */
    message[5] = 1; /* one question */
    while (*name != '\0') {
        label = strcspn(name, ".");
        if (label == 0 || label > 63 || at + label > AWS_I_DNS_HEAD + 253)
            return 0;
        message[at] = (unsigned char)label;
        memcpy(message + at + 1, name, label);
        at += label + 1;
        name += label + (name[label] == '.');
    }
    message[at] = message[at + 1] = message[at + 3] = 0;
    message[at + 2] = (unsigned char)type;
    message[at + 4] = 1; /* the Internet */
    return at + 5;
}

/* Past a name at that place: where its end is, or behind the message. */
static size_t aws_i_dns_past(const unsigned char *message, size_t size, size_t at)
{
    while (at < size && message[at] != 0 && message[at] < 0xc0)
        at += message[at] + (size_t)1;
    return at + (at < size && message[at] != 0 ? 2 : 1);
}

/* Note the addresses of an answer: 0 if there may be none, or AWS_ERR_LOOKUP if another server is
 * to be asked. */
static int aws_i_dns_answer(aws_i_sockets *c, const unsigned char *message, size_t size, size_t at,
                            unsigned type)
{
    unsigned code = message[3] & 15u, count = (unsigned)message[6] << 8 | message[7];
    size_t length, wanted = type == AWS_I_DNS_A ? 4 : 16;

    if (code != 0 && code != 3) /* it knows that there is no such name, or it doesn't know */
        return AWS_ERR_LOOKUP;
    for (; count > 0; count--) {
        at = aws_i_dns_past(message, size, at);
        if (at + 10 > size)
            break;
        length = (size_t)message[at + 8] << 8 | message[at + 9];
        if (at + 10 + length > size)
            break;
        if (message[at] == 0 && message[at + 1] == type && message[at + 2] == 0 &&
            message[at + 3] == 1 && length == wanted)
            aws_i_dns_note(c, type == AWS_I_DNS_A ? AF_INET : AF_INET6, message + at + 10);
        at += 10 + length;
    }
    return count != 0 && c->count == 0 ? AWS_ERR_LOOKUP : 0;
}

/* Ask one server and wait: as aws_i_dns_answer. */
static int aws_i_dns_exchange(const aws_port *port, aws_i_sockets *c, const aws_i_dns *dns,
                              unsigned server, unsigned char *question, size_t size, unsigned type)
{
    unsigned char answer[AWS_I_DNS_MESSAGE];
    uint32_t most = dns->timeout * 1000u / dns->attempts, start = port->ticks(port), past = 0;
    aws_i_sockets_name name;
    int v6 = dns->servers.v6 >> server & 1, result = AWS_ERR_LOOKUP, s;
    socklen_t length = aws_i_sockets_named(&dns->servers, server, AWS_I_DNS_PORT, &name);
    ssize_t n;

    s = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    if (s < 0)
        return result;
    (void)fcntl(s, F_SETFD, FD_CLOEXEC);
    /* connected: only that server's answers come, and that there is none is an error at once */
    if (port->entropy(port, question, 2) == 0 && connect(s, &name.any, length) == 0 &&
        send(s, question, size, AWS_I_SOCKETS_FLAGS) == (ssize_t)size) {
        while (past < most && aws_i_sockets_ready(s, AWS_WAIT_READ, (int)(most - past)) != 0) {
            n = recv(s, answer, sizeof answer, MSG_DONTWAIT);
            if (n < 0 && errno != EINTR && errno != EAGAIN)
                break;
            if (n >= (ssize_t)size && (answer[2] & 0x80) != 0 && memcmp(answer, question, 2) == 0 &&
                memcmp(answer + 4, question + 4, 2) == 0 &&
                memcmp(answer + AWS_I_DNS_HEAD, question + AWS_I_DNS_HEAD, size - AWS_I_DNS_HEAD) ==
                    0) {
                result = aws_i_dns_answer(c, answer, (size_t)n, size, type);
                break;
            }
            past = port->ticks(port) - start;
        }
    }
    (void)close(s);
    return result;
}

/* Addresses of one family and name: 0 if a server has answered. */
static int aws_i_dns_query(const aws_port *port, aws_i_sockets *c, const aws_i_dns *dns,
                           const char *name, unsigned type)
{
    unsigned char question[AWS_I_DNS_HEAD + AWS_I_DNS_NAME + 8];
    size_t size = aws_i_dns_ask(question, name, type);
    unsigned i;

    if (size == 0)
        return 0; /* there can't be such a name */
    for (i = 0; i < dns->attempts * dns->servers.count; i++)
        if (aws_i_dns_exchange(port, c, dns, i % dns->servers.count, question, size, type) == 0)
            return 0;
    return AWS_ERR_LOOKUP;
}

/* Both families of a name, or the one that is wanted. */
static int aws_i_dns_name(const aws_port *port, aws_i_sockets *c, const aws_i_dns *dns,
                          const char *name, int family)
{
    int result = 0;

    if (family != AF_INET6)
        result = aws_i_dns_query(port, c, dns, name, AWS_I_DNS_A);
    if (result == 0 && c->count == 0 && family != AF_INET)
        result = aws_i_dns_query(port, c, dns, name, AWS_I_DNS_AAAA);
    return result;
}

/* In place of getaddrinfo. */
static int aws_i_sockets_lookup(aws_i_sockets *c, const char *host, int family)
{
    const aws_port *port = aws_posix_port();
    const char *dot, *at;
    char name[2 * AWS_I_DNS_NAME];
    aws_i_dns dns;
    unsigned dots = 0, before = c->count;
    size_t length = strlen(host), size;
    int result = 0;

    c->error = EAI_NONAME;
    if (length == 0 || length >= AWS_I_DNS_NAME)
        return AWS_ERR_LOOKUP;
    if (aws_i_dns_text(c, host, family)) {
        c->asked = 1;
        c->error = 0;
        return 0;
    }
    aws_i_dns_hosts(c, host, family);
    if (c->count == before) {
        aws_i_dns_configure(&dns);
        for (dot = host; (dot = strchr(dot, '.')) != NULL; dot++)
            dots++;
        at = dots >= dns.dots || host[length - 1] == '.' ? "" : dns.search;
        memcpy(name, host, length);
        for (; result == 0 && c->count == before && *at != '\0'; at += size + 1) {
            size = strcspn(at, " ");
            name[length] = '.';
            memcpy(name + length + 1, at, size);
            name[length + 1 + size] = '\0';
            result = aws_i_dns_name(port, c, &dns, name, family);
        }
        if (result == 0 && c->count == before)
            result = aws_i_dns_name(port, c, &dns, host, family);
        if (result < 0)
            c->error = EAI_AGAIN;
    }
    if (c->count == before)
        return AWS_ERR_LOOKUP;
    c->error = 0;
    return 0;
}

#endif /* AWS_DNS_INCLUDED */
