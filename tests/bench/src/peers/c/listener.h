/* What both C loops share: the argument, the listener, the first line, and the reply in place. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One for all connections, and as large as the course's. */
static unsigned char buffer[16 * 1024];

static void fail(const char *call)
{
    perror(call);
    exit(1);
}

/* `--listen ADDR:PORT`, IPv4 only. The backlog, SO_REUSEADDR and first line are the course's. */
static int listen_as_told(int argc, char **argv)
{
    char *colon = argc == 3 && strcmp(argv[1], "--listen") == 0 ? strchr(argv[2], ':') : NULL;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (colon != NULL)
        *colon = '\0';
    if (colon == NULL || inet_pton(AF_INET, argv[2], &address.sin_addr) != 1) {
        fprintf(stderr, "usage: %s --listen ADDR:PORT\n", argv[0]);
        exit(2);
    }
    address.sin_port = htons((unsigned short)atoi(colon + 1));

    int one = 1;
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        fail("socket");
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
        fail("setsockopt");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        fail("bind");
    if (listen(listener, 1024) != 0)
        fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &size) != 0)
        fail("getsockname");
    printf("listening on %s:%d\n", inet_ntoa(address.sin_addr), ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

/* By arithmetic: toupper(3) asks the locale's table for every byte, which would only slow C down. */
static void make_upper(unsigned char *bytes, ssize_t count)
{
    for (ssize_t i = 0; i < count; i++)
        if (bytes[i] >= 'a' && bytes[i] <= 'z')
            bytes[i] -= 'a' - 'A';
}

/*
 * Reads once and replies. Returns what read returned, 0 when the connection is over, -1 when there
 * was nothing to read.
 *
 * There is no output queue: the bench's replies always fit into the socket's buffer, and code that
 * is never needed would only slow C down. A reply that does not fit ends the connection, which the
 * load generator would report.
 */
static ssize_t answer(int client)
{
    ssize_t count = read(client, buffer, sizeof buffer);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : 0;
    make_upper(buffer, count);
    if (count > 0 && write(client, buffer, (size_t)count) != count)
        return 0;
    return count;
}
