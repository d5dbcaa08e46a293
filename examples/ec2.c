/* ec2.c - list the instances of a region with their state, page by page.
 *
 *     cc -std=c99 -O2 -I. examples/ec2.c -lbearssl -o ec2
 *     AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... ./ec2
 *
 * Another server than Amazon's: AWS_ENDPOINT_URL=https://HOST:PORT AWS_CA_BUNDLE=its-ca.pem
 */
#define AWS_IMPLEMENTATION
#include "aws.h"

#include <stdio.h>
#include <stdlib.h>

static unsigned char memory[AWS_CLIENT_MEMORY]; /* all the memory that the client takes */
static void         *anchors[4096];             /* CA certificates, if not Amazon's */
static char           answer[1 << 18]; /* a page */

static void print(const aws_slice *instance)
{
    char id[32], type[32], state[32], address[64];

    aws_xml_get(instance, "instanceId", id, sizeof id);
    aws_xml_get(instance, "instanceType", type, sizeof type);
    aws_xml_get(instance, "instanceState.name", state, sizeof state);
    aws_xml_get(instance, "privateIpAddress", address, sizeof address);
    printf("%-20s %-12s %-10s %s\n", id, type, state, address);
}

/* A page has reservations, a reservation has instances. */
static void print_page(const aws_slice *page)
{
    aws_slice reservation, instance;
    char path[48];
    int i, j;

    for (i = 0;; i++) {
        snprintf(path, sizeof path, "reservationSet.item.%d", i);
        if (aws_xml_find(page, path, &reservation) <= 0)
            return;
        for (j = 0;; j++) {
            snprintf(path, sizeof path, "instancesSet.item.%d", j);
            if (aws_xml_find(&reservation, path, &instance) <= 0)
                break;
            print(&instance);
        }
    }
}

static int list(aws_client *client)
{
    static char memory_of_tokens[2048];
    aws_pair form[] = {{"MaxResults", "50"},
                       {"Filter.1.Name", "instance-state-name"},
                       {"Filter.1.Value.1", "pending"},
                       {"Filter.1.Value.2", "running"}};
    aws_request request = {0};
    aws_pages pages = {0};
    int r;

    request.operation = "DescribeInstances";
    request.form = form;
    request.form_count = 4;
    request.buffer = answer;
    request.buffer_size = sizeof answer;
    request.token_name = "NextToken";
    pages.request = &request;
    pages.token_path = "nextToken";
    pages.memory = memory_of_tokens;
    pages.size = sizeof memory_of_tokens;
    while ((r = aws_pages_xml(client, &pages)) > 0)
        print_page(&pages.xml);
    return r;
}

int main(int argc, char **argv)
{
    aws_config config = {0};
    aws_session session;
    aws_client client;
    aws_trust trust;
    int failed;

    (void)argv;
    if (argc != 1) {
        fprintf(stderr, "usage: ec2\n");
        return 2;
    }
    if (getenv("AWS_CA_BUNDLE") && *getenv("AWS_CA_BUNDLE")) {
        if (aws_trust_load(&trust, anchors, sizeof anchors, NULL) < 0) {
            fprintf(stderr, "AWS_CA_BUNDLE names no file of CA certificates\n");
            return 2;
        }
        config.trust = &trust;
    }
    aws_session_init(&session, &config);
    aws_client_init(&client, &session, &aws_ec2_service, memory, sizeof memory);
    failed = list(&client) < 0;
    if (failed)
        fprintf(stderr, "%s\n", aws_client_failure_text(&client));
    aws_client_close(&client);
    aws_session_close(&session);
    return failed;
}
