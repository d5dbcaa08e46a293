/* port_windows.h - what tests/test_port.c needs of Windows.
 *
 * SPDX-License-Identifier: MIT
 *
 * The peer is another program, `test_port --peer` on a POSIX system that shares its loopback: wine's
 * host (tests/windows.sh). AWS_TEST_PEER has the ports that it said.
 */
#ifndef PORT_WINDOWS_INCLUDED
#define PORT_WINDOWS_INCLUDED

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned peer_port, peer_port6, refused_port;
static int peer_silent; /* it has made silent addresses */

static void peer_begin(void)
{
    const char *ports = getenv("AWS_TEST_PEER");

    if (ports == NULL || sscanf(ports, "%u %u %u %d", &peer_port, &peer_port6, &refused_port,
                               &peer_silent) != 4) {
        fputs("test_port: AWS_TEST_PEER has to be what `test_port --peer` says\n", stderr);
        exit(2);
    }
}

static void nap(int ms)
{
    Sleep((DWORD)ms);
}

static uint32_t clock_ms(void)
{
    LARGE_INTEGER count, rate;

    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&rate);
    return (uint32_t)(count.QuadPart / rate.QuadPart * 1000 +
                      count.QuadPart % rate.QuadPart * 1000 / rate.QuadPart);
}

static void end_socket(int s)
{
    (void)closesocket((SOCKET)s);
}

static int black_hole(const char *address, unsigned port_number, int s[4])
{
    (void)address;
    (void)port_number;
    s[0] = s[1] = s[2] = s[3] = -1;
    return peer_silent;
}

static void set_variable(const char *name, const char *value)
{
    char text[512];

    snprintf(text, sizeof text, "%s=%s", name, value != NULL ? value : "");
    _putenv(text);
}

/* A file's name that nobody else has, and that no code page has. */
static const char *scratch_file(void)
{
    static char path[64];

    snprintf(path, sizeof path, "test_port_%lu_\xc5\x82\xe6\x97\xa5.tmp", GetCurrentProcessId());
    return path;
}

static void wide_path(const char *path, wchar_t wide[64])
{
    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 64);
}

static FILE *open_file(const char *path)
{
    wchar_t wide[64];

    wide_path(path, wide);
    return _wfopen(wide, L"wb");
}

static void remove_file(const char *path)
{
    wchar_t wide[64];

    wide_path(path, wide);
    (void)DeleteFileW(wide);
}

/* How many handles the process has: none may stay open. */
static int open_files(void)
{
    DWORD count = 0;

    GetProcessHandleCount(GetCurrentProcess(), &count);
    return (int)count;
}

#endif
