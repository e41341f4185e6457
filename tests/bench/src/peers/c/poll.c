/*
 * The plain C poll loop: poll, read, write.
 *
 * Why it is fair: one thread; the array is kept from one wait to the next and only ever changed
 * where a client comes or goes, which C allows and which is the fastest plain way; the scan for
 * answers stops after the last one.
 */
#include "listener.h"
#include <poll.h>

int main(int argc, char **argv)
{
    size_t count = 1, room = 1024;
    struct pollfd *entries = malloc(room * sizeof *entries);
    if (entries == NULL)
        fail("malloc");
    int listener = listen_as_told(argc, argv);
    entries[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (;;) {
        int ready = poll(entries, count, -1);
        if (ready < 0 && errno != EINTR)
            fail("poll");
        /* From the end, so that the last entry can fill a gap without being seen twice. */
        for (size_t i = count; ready > 0 && i-- > 1;) {
            if (entries[i].revents == 0)
                continue;
            ready--;
            if (answer(entries[i].fd) == 0) {
                close(entries[i].fd);
                entries[i] = entries[--count];
            }
        }
        if (ready <= 0)
            continue;
        int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                fail("accept4");
            continue;
        }
        if (count == room) {
            room *= 2;
            entries = realloc(entries, room * sizeof *entries);
            if (entries == NULL)
                fail("realloc");
        }
        entries[count++] = (struct pollfd){.fd = client, .events = POLLIN};
    }
}
