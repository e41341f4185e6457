//! What is so of every server that waits in epoll, level-triggered or edge-triggered.

use lab::finding::Check;
use lab::subject::Launch;
use lab::wait;

use crate::program;

#[test]
fn v_tells_a_wait_that_a_signal_ended() {
    let check = Check {
        did: "started the server with -v, stopped it while it slept in its wait, and continued it",
        expected: "on standard error, `epoll_wait: EINTR: Interrupted system call`",
        perhaps: "Does EINTR start the next wait without a word?",
        read: "03-select.md#eintr",
    };
    let server = check.value(Launch::new(program()).arg("-v").server());
    // It must sleep in the wait: elsewhere a stop interrupts nothing.
    check.value(server.process().rests());
    check.value(server.stop());
    check.value(server.go_on());
    let told = wait::until("the interruption is told", || {
        let told = server.stderr();
        told.lines().any(|line| line == "epoll_wait: EINTR: Interrupted system call")
    });
    check.require(told.is_ok(), server.stderr());
}
