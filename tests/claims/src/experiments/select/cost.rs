//! What a call of select costs, and what a thread costs.

use std::fs;
use std::io::{self, Read, Write, pipe};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use lab::ask::Watch;
use lab::process::Process;
use lab::wait::{self, QUIET};
use lab::witness::bits::Events;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_gettime};

use super::super::limit;
use super::call::{RawSet, number, readable};
use crate::experiments::answer::symbol;
use crate::experiments::time::shortest;
use crate::seen::Seen;

const NOW: Duration = Duration::ZERO;
const SMALL: usize = 16 * 1024;

pub fn threads_have_limits(seen: &mut Seen) -> io::Result<()> {
    for setting in ["kernel/threads-max", "kernel/pid_max", "vm/max_map_count"] {
        let value = fs::read_to_string(format!("/proc/sys/{setting}")).unwrap_or_default();
        seen.note(format!("/proc/sys/{setting}"), value.trim());
    }
    let (made, error) = threads(1000, SMALL);
    // Their stacks go as they end, which is a moment after their last word.
    let this = Process(std::process::id());
    wait::try_until("the threads have ended", || Ok(this.threads()? == 1))?;
    let why = error.map_or(String::new(), |error| format!(", then {}", symbol(&error)));
    seen.note("threads with small stacks, of 1000 asked for", format!("{made}{why}"));
    // Memory as the limit, made small enough to be met.
    let (_, hard) = getrlimit(Resource::RLIMIT_AS)?;
    let most = hard.min(address_space()? + (100 << 20));
    setrlimit(Resource::RLIMIT_AS, most, most)?;
    let (made, error) = threads(1000, 8 << 20);
    let did = "threads with stacks of 8 MiB, when 100 MiB of addresses are left at most";
    seen.require(did, made, "about ten, not 1000", made < 20);
    let error = error.map_or("no error".to_owned(), |error| symbol(&error).clone());
    seen.says("what ends it", error, "EAGAIN");
    Ok(())
}

/// Makes threads that live at the same time; says how many there were, and what stopped it.
fn threads(count: usize, stack: usize) -> (usize, Option<io::Error>) {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        let _closed = gate.lock();
        for made in 0..count {
            let waits = || drop(gate.lock());
            if let Err(error) = thread::Builder::new().stack_size(stack).spawn_scoped(scope, waits)
            {
                return (made, Some(error));
            }
        }
        (count, None)
    })
}

fn address_space() -> io::Result<u64> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)?.unwrap_or(4096);
    let pages = pages.ok_or_else(|| io::Error::other("/proc/self/statm has another form"))?;
    Ok(pages * page.cast_unsigned())
}

const CLIENTS: usize = 200;

/// The stack of each of their threads: what Rust gives if nobody says otherwise.
const USUAL: usize = 2 << 20;

pub fn idle_client_costs_a_thread(seen: &mut Seen) -> io::Result<()> {
    limit::room_for(2 * CLIENTS as u64 + 50)?;
    let this = Process(std::process::id());
    let mut pipes = Vec::new();
    for _ in 0..CLIENTS {
        pipes.push(pipe()?);
    }
    let before = (address_space()?, this.resident_bytes()?);
    let watch = Watch::new()?;
    for (reader, _) in &pipes {
        watch.add(reader, Events::IN, 0)?;
    }
    watch.wait(64, NOW)?;
    let by_epoll = (address_space()? - before.0, this.resident_bytes()?.saturating_sub(before.1));
    seen.expect("200 idle pipes watched by epoll: threads", this.threads()?, 1);
    drop(watch);
    let before = (address_space()?, this.resident_bytes()?);
    let all_run = Arc::new(Barrier::new(CLIENTS + 1));
    let mut waiting = Vec::new();
    let mut writers = Vec::new();
    for (mut reader, writer) in pipes {
        let all_run = Arc::clone(&all_run);
        writers.push(writer);
        let work = move || {
            all_run.wait();
            drop(reader.read(&mut [0]));
        };
        let thread = thread::Builder::new().stack_size(USUAL).spawn(work);
        waiting.push(thread.map_err(limit::of_threads)?);
    }
    all_run.wait();
    let by_threads = (address_space()? - before.0, this.resident_bytes()?.saturating_sub(before.1));
    seen.expect("the same with a thread for each: threads", this.threads()?, 201);
    let kib = |epoll: u64, threads: u64| format!("{} KiB and {} KiB", epoll / 1024, threads / 1024);
    let did = "addresses taken for 200 idle pipes, by epoll and by threads";
    let stacks = by_threads.0 > 4 * by_epoll.0.max(2 << 20);
    seen.require(did, kib(by_epoll.0, by_threads.0), "a stack for each thread", stacks);
    // Counted by the kernel with some slack, so it decides nothing.
    seen.note(
        "memory in use for 200 idle pipes, by epoll and by threads",
        kib(by_epoll.1, by_threads.1),
    );
    // That nothing happens can only be watched. The shortest of several: some may still be on their way into read.
    let window = QUIET / 4;
    let mut used = window;
    for _ in 0..4 {
        let before = processor_time()?;
        thread::sleep(window);
        used = used.min(processor_time()?.saturating_sub(before));
    }
    let did = format!("processor time that the 200 threads take in {window:?}");
    seen.require(did, format!("{used:.1?}"), "next to none", used < window / 4);
    drop(writers);
    for thread in waiting {
        let _ = thread.join();
    }
    Ok(())
}

/// What all threads of this process have used of the processors.
fn processor_time() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

/// Second numbers for a quiet descriptor, up to a count; and a readable one above them all, which has a second
/// number below them.
struct Many {
    low: OwnedFd,
    quiet: Vec<OwnedFd>,
    loud: OwnedFd,
    _writers: [OwnedFd; 2],
}

impl Many {
    fn new(count: usize) -> io::Result<Self> {
        limit::room_for(count as u64 + 32)?;
        let (low, mut into) = pipe()?;
        into.write_all(b"x")?;
        let (reader, writer) = pipe()?;
        let mut quiet = vec![OwnedFd::from(reader)];
        while quiet.len() < count {
            quiet.push(quiet[0].try_clone()?);
        }
        let low = OwnedFd::from(low);
        let loud = low.try_clone()?;
        Ok(Self { low, quiet, loud, _writers: [writer.into(), into.into()] })
    }

    /// The shortest time of a select on the first `count` quiet ones and the readable one.
    fn select(&self, count: usize) -> Duration {
        self.select_with(&self.loud, count)
    }

    /// The same with the lower number of the readable one. nfds stays as it is.
    fn select_with_the_lowest(&self, count: usize) -> Duration {
        self.select_with(&self.low, count)
    }

    fn select_with(&self, loud: &OwnedFd, count: usize) -> Duration {
        let mut master = RawSet::of(&[number(loud)]);
        for fd in &self.quiet[..count] {
            master.add(number(&fd.as_fd()));
        }
        let nfds = number(&self.loud) + 1;
        shortest(300, || drop(readable(nfds, &mut master.clone(), NOW)))
    }
}

/// A call costs something whatever it is asked, on some machines much: a call on 99 times as many counts
/// as dearer if it takes twice as long.
const DEARER: u32 = 2;

fn at_least(seen: &mut Seen, did: &str, few: Duration, many: Duration, times: u32) {
    let saw = format!("{few:.1?} and {many:.1?}");
    seen.require(
        did,
        saw,
        format!("the second {times} times the first or more"),
        many >= few * times,
    );
}

pub fn grows_with_n(seen: &mut Seen) -> io::Result<()> {
    // nfds is the same in all: only the bits differ.
    let many = Many::new(990)?;
    let (few, all) = (many.select(10), many.select(990));
    at_least(seen, "a call with 10 and with 990 quiet descriptors", few, all, DEARER);
    let (few, all) = (many.select_with_the_lowest(10), many.select_with_the_lowest(990));
    at_least(seen, "the same, the readable one being the lowest", few, all, DEARER);
    let set = RawSet::of(&[number(&many.loud)]);
    let scan = |count: i32| {
        shortest(300, || {
            for fd in 0..count {
                std::hint::black_box(set.has(std::hint::black_box(fd)));
            }
        })
    };
    at_least(seen, "FD_ISSET on 10 and on 1000 of them afterwards", scan(10), scan(1000), 5);
    Ok(())
}

pub fn higher_limit_costs_nothing(seen: &mut Seen) -> io::Result<()> {
    // Few numbers are taken: all are below the lower of the two limits.
    let few = Many::new(10)?;
    let hard = limit::hard()?;
    limit::room_for(512)?;
    limit::at_most(64)?;
    let low = few.select(10);
    limit::at_most(hard)?;
    let high = few.select(10);
    let many = Many::new(990)?;
    let (high_again, all) = (many.select(10), many.select(990));
    let did = format!("10 descriptors with RLIMIT_NOFILE 64 and {hard}");
    let same = high < low * 4;
    seen.require(did, format!("{low:.1?} and {high:.1?}"), "about the same", same);
    at_least(seen, "10 and 990 descriptors, with the same limit", high_again, all, DEARER);
    Ok(())
}
