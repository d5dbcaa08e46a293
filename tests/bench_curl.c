/* bench_curl.c - libcurl with CURLOPT_AWS_SIGV4 on one kept handle, for tests/bench.py.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench_client.h"
#include <curl/curl.h>

static char   buffer[1 << 18];
static size_t received, sent;

static size_t keep(char *data, size_t size, size_t count, void *context)
{
    size_t room = sizeof buffer - received, n = size * count;

    (void)context;
    if (bench_list) /* nothing parses it here */
        return n;
    if (n > room)
        return 0;
    memcpy(buffer + received, data, n);
    received += n;
    return n;
}

static size_t body(char *to, size_t size, size_t count, void *context)
{
    size_t n = size * count;

    (void)context;
    n = n < BENCH_SIZE - sent ? n : BENCH_SIZE - sent;
    memcpy(to, bench_body + sent, n);
    sent += n;
    return n;
}

static void request(CURL *curl, const char *url)
{
    long status = 0;

    received = sent = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    if (curl_easy_perform(curl) != CURLE_OK ||
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200)
        bench_fail("libcurl");
    if (!bench_put && !bench_list && received != BENCH_SIZE)
        bench_fail("libcurl: size");
}

int main(int count, char **arguments)
{
    static const char unsigned_body[] = "x-amz-content-sha256: UNSIGNED-PAYLOAD";
    static const char empty_body[] =
        "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    struct curl_slist *headers;
    char url[200];
    CURL *curl;
    long i, key;

    bench_arguments(count, arguments);
    curl_global_init(CURL_GLOBAL_ALL);
    curl = curl_easy_init();
    headers = curl_slist_append(NULL, bench_put ? unsigned_body : empty_body);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:s3");
    curl_easy_setopt(curl, CURLOPT_USERPWD,
                     "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    curl_easy_setopt(curl, CURLOPT_CAINFO, bench_ca);
    if (bench_put) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, body);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)BENCH_SIZE);
    }
    for (i = -BENCH_WARM; i < bench_count; i++) {
        if (i == 0)
            bench_begin();
        for (key = 0; key < (bench_list ? 10000 : 1); key += 1000) {
            int n = snprintf(url, sizeof url, "%s://localhost:%s/bench", bench_tls ? "https" : "http",
                             bench_port);
            if (!bench_list)
                snprintf(url + n, sizeof url - (size_t)n, "/o1024");
            else if (key)
                snprintf(url + n, sizeof url - (size_t)n, "?list-type=2&start-after=key-%06ld",
                         key - 1);
            else
                snprintf(url + n, sizeof url - (size_t)n, "?list-type=2");
            request(curl, url);
        }
    }
    bench_end();
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return 0;
}
