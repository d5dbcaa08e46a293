/* threads.c - see threads.h. lwIP's pthreads are those of Debian's package of its source.
 *
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "../../aws.h"
#include "../../port/lwip_sockets.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"
#include "lwip/tcpip.h"
#include "net.h"
#include "threads.h"
#include <pthread.h>
#include <signal.h>
#include <time.h>

const int lwip_threads_sockets = MEMP_NUM_NETCONN;
static pthread_mutex_t lwip_slirp = PTHREAD_MUTEX_INITIALIZER;
static pthread_t lwip_wire;
static volatile sig_atomic_t lwip_over;
static sys_mutex_t lwip_mutex;

/* lwIP's thread sends while the wire's thread may be in slirp. */
static err_t lwip_threads_output(struct netif *netif, struct pbuf *p)
{
    err_t error;

    pthread_mutex_lock(&lwip_slirp);
    error = lwip_output(netif, p);
    pthread_mutex_unlock(&lwip_slirp);
    return error;
}

/* A frame that there is no memory for is lost, as on any wire. */
static void lwip_came(const void *frame, size_t size)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);

    if (p == NULL)
        return;
    (void)pbuf_take(p, frame, (u16_t)size);
    if (lwip_netif.input(p, &lwip_netif) != ERR_OK)
        (void)pbuf_free(p);
}

static void *lwip_run(void *unused)
{
    static const struct timespec pause = {0, 200000};

    while (!lwip_over) {
        pthread_mutex_lock(&lwip_slirp);
        lwip_answer();
        wire_poll();
        pthread_mutex_unlock(&lwip_slirp);
        nanosleep(&pause, NULL);
    }
    return unused;
}

static void lwip_begun(void *done)
{
    lwip_netif_begin(tcpip_input);
    lwip_netif.linkoutput = lwip_threads_output;
    sys_sem_signal((sys_sem_t *)done);
}

static int lwip_threads_open(const aws_port *port, void *connection, const char *host,
                             unsigned number, int tls)
{
    return aws_lwip_sockets_port()->open(port, connection, lwip_host(host), number, tls);
}

const aws_port *lwip_threads_begin(void)
{
    static aws_port port;
    sigset_t all, before;
    sys_sem_t done;

    sigfillset(&all); /* signals are for the program's own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    lwip_names_begin();
    wire_begin(lwip_came);
    (void)sys_sem_new(&done, 0);
    tcpip_init(lwip_begun, &done);
    (void)sys_arch_sem_wait(&done, 0);
    sys_sem_free(&done);
    (void)sys_mutex_new(&lwip_mutex);
    if (pthread_create(&lwip_wire, NULL, lwip_run, NULL) != 0)
        exit(2);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    port = *aws_lwip_sockets_port();
    port.open = lwip_threads_open;
    port.entropy = lwip_entropy;
    port.context = &lwip_mutex;
    port.lock = aws_lwip_sockets_lock;
    port.unlock = aws_lwip_sockets_unlock;
    return &port;
}

static void lwip_count(void *used)
{
    static const int pools[] = {MEMP_NETCONN, MEMP_TCP_PCB, MEMP_TCP_SEG, MEMP_PBUF_POOL,
                                MEMP_NETDB};
    size_t i;

    *(int *)used = 0;
    for (i = 0; i < sizeof pools / sizeof pools[0]; i++)
        *(int *)used += (int)lwip_stats.memp[pools[i]]->used;
    if (tcp_tw_pcbs != NULL)
        tcp_abort(tcp_tw_pcbs); /* it only waits for its time */
}

int lwip_threads_end(void)
{
    static const struct timespec pause = {0, 10000000};
    int i, used = -1;

    for (i = 0; i < 1000 && used != 0; i++) {
        (void)tcpip_callback(lwip_count, &used);
        nanosleep(&pause, NULL);
    }
    lwip_over = 1;
    pthread_join(lwip_wire, NULL);
    wire_end();
    return used;
}

int lwip_threads_late(void)
{
    return lwip_late;
}
