/*
 * The plain C epoll loop: epoll_wait, read, write. Level-triggered; compiled with -DEDGE it is the
 * edge-triggered one.
 *
 * Why it is fair: one thread; the descriptor itself is the event's data, so that there is not even
 * a table of connections; up to 256 events a wait, as the course's; a read that came back short
 * is the last one, so that a message costs three system calls and no fourth that says EAGAIN.
 */
#include "listener.h"
#include <sys/epoll.h>

#ifdef EDGE
#define INTEREST (EPOLLIN | EPOLLRDHUP | EPOLLET)
#else
#define INTEREST EPOLLIN
#endif

static void watch(int epoll, int fd, unsigned events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
}

static void serve(int client, unsigned events)
{
    ssize_t count = answer(client);
#ifdef EDGE
    /* A full buffer, or a FIN behind the data: there may be more, and no edge will say so. */
    while (count == (ssize_t)sizeof buffer || (count > 0 && events & ~EPOLLIN))
        count = answer(client);
#else
    (void)events;
#endif
    /* Closed is also out of the list of interest. */
    if (count == 0)
        close(client);
}

int main(int argc, char **argv)
{
    int listener = listen_as_told(argc, argv);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        fail("epoll_create1");
    /* The listener stays level-triggered: accepting is not what is measured. */
    watch(epoll, listener, EPOLLIN);
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, -1);
        if (ready < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) {
                serve(fd, events[i].events);
                continue;
            }
            int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (client >= 0)
                watch(epoll, client, INTEREST);
            else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                fail("accept4");
        }
    }
}
