//! One event and several instances that watch for it: `EPOLLEXCLUSIVE`.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::Duration;

use lab::ask::{self, InSets, Watch};
use lab::sockets::{begin_connect, listener, unconnected};
use lab::wait::patience;
use lab::witness::bits::Events;
use nix::sys::eventfd::EventFd;

use crate::experiments::answer::{answer, events};
use crate::experiments::waiters::Waiters;
use crate::seen::Seen;

type Done = io::Result<()>;

const NOW: Duration = Duration::ZERO;

/// Instances that watch one thing, each with this interest.
fn instances(of: &impl AsRawFd, interest: &str, count: usize) -> io::Result<Vec<Arc<Watch>>> {
    let one = || {
        let watch = Watch::new()?;
        watch.add(of, events(interest), 0)?;
        Ok(Arc::new(watch))
    };
    (0..count).map(|_| one()).collect()
}

/// A thread that waits once in this instance.
fn waits(watch: &Arc<Watch>) -> impl FnOnce() -> String + Send + 'static {
    let watch = Arc::clone(watch);
    move || answer(watch.report(patience()))
}

/// C159: the kernel picks one of those that sleep in accept, and wakes all that sleep in the others.
pub(super) fn herd(seen: &mut Seen) -> Done {
    const THREADS: usize = 3;
    let books = [("accept", 1), ("select", THREADS), ("poll", THREADS), ("epoll_wait", THREADS)];
    for (call, book) in books {
        let listener = Arc::new(listener()?);
        let mut waiters = Waiters::new(call);
        for _ in 0..THREADS {
            waiters.start(one_wait(call, &listener)?)?;
        }
        let _client = TcpStream::connect(listener.local_addr()?)?;
        let woken = waiters.woken(book).len();
        let did = format!("{THREADS} threads sleep in {call}, one client connects: threads woken");
        seen.expect(did, woken, book);
    }
    Ok(())
}

/// A wait for this listener in that call, with an instance of its own if it is epoll's.
fn one_wait(
    call: &str,
    listener: &Arc<TcpListener>,
) -> io::Result<Box<dyn FnOnce() -> String + Send>> {
    let of = Arc::clone(listener);
    Ok(match call {
        "accept" => Box::new(move || answer(of.accept().map(|_| 1))),
        "select" => Box::new(move || answer(ask::select(&of, InSets::READ, patience()))),
        "poll" => Box::new(move || answer(ask::poll(&of, Events::IN, patience()))),
        _ => Box::new(waits(&instances(&of, "IN", 1)?[0])),
    })
}

/// C160: at least one: whoever waits nowhere is told too, and stops no wake-up.
pub(super) fn at_least_one(seen: &mut Seen) -> Done {
    let event = EventFd::new()?;
    let all = instances(&event.as_fd(), "IN|EXCLUSIVE", 3)?;
    event.write(1)?;
    let mut told = 0;
    for watch in &all {
        told += usize::from(!watch.report(NOW)?.is_empty());
    }
    let did =
        "three instances with EXCLUSIVE, nobody waits in them, one event: that report it later";
    seen.expect(did, told, 3);

    let event = EventFd::new()?;
    let all = instances(&event.as_fd(), "IN|EXCLUSIVE", 3)?;
    let mut waiters = Waiters::new("epoll_wait");
    waiters.start(waits(&all[1]))?;
    waiters.start(waits(&all[2]))?;
    event.write(1)?;
    seen.expect("threads sleep in two of three: threads woken", waiters.woken(1).len(), 1);
    seen.says("and the third, where nobody waited, reports", all[0].report(NOW)?, "IN");

    let event = EventFd::new()?;
    let all = instances(&event.as_fd(), "IN|EXCLUSIVE", 2)?;
    let plain = instances(&event.as_fd(), "IN", 2)?;
    let mut waiters = Waiters::new("epoll_wait");
    for watch in all.iter().chain(&plain) {
        waiters.start(waits(watch))?;
    }
    event.write(1)?;
    let did = "threads sleep in two with EXCLUSIVE and two without: threads woken";
    seen.expect(did, waiters.woken(3).len(), 3);
    Ok(())
}

/// C161: the ones that were passed over do not look at the state: not even level-triggered.
pub(super) fn not_passed_on(seen: &mut Seen) -> Done {
    let event = EventFd::new()?;
    let all = instances(&event.as_fd(), "IN|EXCLUSIVE", 2)?;
    let mut waiters = Waiters::new("epoll_wait");
    for watch in &all {
        waiters.start(waits(watch))?;
    }
    event.write(1)?;
    let woken = waiters.woken(1);
    let did = "threads 0 and 1 sleep in instances of their own with EXCLUSIVE, one event: woken";
    seen.expect(did, woken, vec![0]);
    seen.says("nobody reads; poll says", ask::poll(&event.as_fd(), Events::IN, NOW)?, "IN");
    event.write(1)?;
    let woken = waiters.woken(1);
    seen.expect("another event, and still nobody reads: woken", woken, vec![1]);

    let event = EventFd::new()?;
    let all = instances(&event.as_fd(), "IN|EXCLUSIVE", 2)?;
    let mut waiters = Waiters::new("epoll_wait");
    waiters.start(waits(&all[0]))?;
    event.write(1)?;
    seen.says(
        "one thread sleeps in the first of two, one event: it returns",
        waiters.answer(),
        "IN",
    );
    // The thread of the first instance took the wake-up, so the second never heard of it.
    seen.says("nobody reads: a wait in the first, level-triggered", all[0].report(NOW)?, "IN");
    seen.says("a wait in the second, level-triggered too", all[1].report(NOW)?, "0");
    all[1].delete(&event.as_fd())?;
    all[1].add(&event.as_fd(), events("IN|EXCLUSIVE"), 0)?;
    seen.says("deleted there and added again: a wait in the second", all[1].report(NOW)?, "IN");
    Ok(())
}

/// C162: within one instance it changes nothing.
pub(super) fn between_instances(seen: &mut Seen) -> Done {
    for (interest, book) in
        [("IN", 3), ("IN|EXCLUSIVE", 3), ("IN|ET", 1), ("IN|EXCLUSIVE|ET", 1), ("IN|ONESHOT", 1)]
    {
        let event = EventFd::new()?;
        let shared = instances(&event.as_fd(), interest, 1)?;
        let mut waiters = Waiters::new("epoll_wait");
        for _ in 0..3 {
            waiters.start(waits(&shared[0]))?;
        }
        event.write(1)?;
        let did = format!("three threads sleep in one instance, {interest}, one event: woken");
        seen.expect(did, waiters.woken(book).len(), book);
    }
    Ok(())
}

/// C163: the wake-up goes to the first in the queue that sleeps, and the queue does not turn.
pub(super) fn does_not_balance(seen: &mut Seen) -> Done {
    const CLIENTS: usize = 12;
    const WORKERS: usize = 3;
    let listener = listener()?;
    listener.set_nonblocking(true)?;
    let mut waiters = Waiters::new("epoll_wait");
    let all = instances(&listener, "IN|EXCLUSIVE", WORKERS)?;
    let mut owners: Vec<usize> = (0..WORKERS).collect();
    for watch in &all {
        waiters.start(waits(watch))?;
    }
    let mut served = [0; WORKERS];
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let client = unconnected()?;
        begin_connect(&client, listener.local_addr()?)?;
        clients.push(client);
        // What a worker does: it accepts, and waits again.
        let Some((waiter, _)) = waiters.next() else { break };
        let worker = owners[waiter];
        listener.accept()?;
        served[worker] += 1;
        waiters.start(waits(&all[worker]))?;
        owners.push(worker);
    }
    let did =
        format!("{WORKERS} workers, {CLIENTS} clients one after the other: clients each served");
    seen.expect(did, served, [CLIENTS, 0, 0]);
    Ok(())
}
