//! The thread that traces a subject, and writes down what it sees.

use std::collections::BTreeMap;
use std::sync::Arc;

use nix::errno::Errno;

use super::calls::{self, At, News, On};
use super::decode::{self, Raw};
use super::descriptors::Descriptors;
use super::liar::{Begun, Liar};
use super::lie::Lie;
use super::memory::Memory;
use super::names::errno_name;
use super::record::{Arguments, Call, CallOutcome, Event, Thread, What};
use super::shared::Shared;
use crate::clock::monotonic;
use crate::need::Need;

/// Follows the process `pid`, which this thread traces, and all that it makes, until all have ended; and
/// tells them these lies.
pub(super) fn follow(pid: i32, lies: Vec<Lie>, shared: &Arc<Shared>) {
    let mut tracer = Tracer {
        leader: pid,
        shared: Arc::clone(shared),
        liar: Liar::new(lies),
        began: 0,
        threads: BTreeMap::new(),
        early: BTreeMap::new(),
        processes: BTreeMap::new(),
        openings: 0,
    };
    loop {
        if tracer.began == 0 && calls::would_be_the_end() {
            return;
        }
        // An error is the end as well: nothing is traced any more.
        let news = calls::news().unwrap_or_default();
        if news.is_empty() {
            return;
        }
        for (tid, news) in news {
            tracer.take(tid, news);
        }
    }
}

/// The call that a thread is in: where it stands in the record, its name and its registers.
type Inside = (usize, String, [u64; 6]);

/// A call that a thread had entered, and that a lie has put off.
#[derive(Debug)]
struct PutOff {
    name: String,
    registers: [u64; 6],
    /// Where it stands in the record, unless that was full.
    place: Option<usize>,
}

/// A thread that is being traced.
#[derive(Debug)]
struct Traced {
    number: u32,
    process: i32,
    inside: Option<Inside>,
    put_off: Option<PutOff>,
    /// The call that a signal has interrupted, and that `restart_syscall` will go on with.
    interrupted: Option<(String, [u64; 6])>,
    /// The lie that it is being told.
    lie: Option<Begun>,
    /// It is stopped as by `SIGSTOP`, until `SIGCONT`.
    stopped: bool,
}

#[derive(Debug)]
struct Process {
    number: u32,
    open: Descriptors,
}

struct Tracer {
    leader: i32,
    shared: Arc<Shared>,
    liar: Liar,
    /// Nanoseconds of `CLOCK_MONOTONIC` at the start; 0 before it: then nothing is recorded.
    began: u64,
    threads: BTreeMap<i32, Traced>,
    /// Threads that were seen before the news that they were made: the two come in any order, and
    /// a short life may be over before.
    early: BTreeMap<i32, Made>,
    processes: BTreeMap<i32, Process>,
    openings: u32,
}

/// A new thread: its number, and its process.
#[derive(Debug, Clone, Copy)]
struct Made {
    number: u32,
    process: i32,
}

impl Tracer {
    fn take(&mut self, tid: i32, news: News) {
        if let News::Ended(status) = news {
            self.ended(tid, status);
            return;
        }
        if self.began == 0 {
            self.before_the_start(tid, news);
            return;
        }
        if self.know(tid).is_none() {
            return;
        }
        self.stops(tid, matches!(news, News::Stopped(_)));
        let on = match news {
            News::SystemCall => {
                self.at_a_call(tid);
                On::ToCall(0)
            }
            News::Signal(signal) => {
                self.note(tid, What::Signal(calls::signal_name(signal)));
                On::ToCall(signal)
            }
            News::Stopped(signal) => {
                self.note(tid, What::Stopped(calls::signal_name(signal)));
                On::Stopped
            }
            News::Made => {
                self.made(tid);
                On::ToCall(0)
            }
            News::Became => {
                self.became(tid);
                On::ToCall(0)
            }
            News::Began | News::Else | News::Ended(_) => On::ToCall(0),
        };
        calls::resume(tid, on);
    }

    /// What the child does between fork and exec is the lab's work, not the subject's.
    fn before_the_start(&mut self, tid: i32, news: News) {
        let on = match news {
            News::Became => {
                self.began = monotonic();
                self.know(tid);
                self.shared.begin(self.began, program(tid));
                On::ToCall(0)
            }
            News::Signal(signal) => On::ToEvent(signal),
            News::Stopped(_) => On::Stopped,
            _ => On::ToEvent(0),
        };
        calls::resume(tid, on);
    }

    /// Makes sure that the thread has a number; `None` if it has been killed and waited for before
    /// anything was known of it.
    fn know(&mut self, tid: i32) -> Option<Made> {
        if let Some(known) = self.threads.get(&tid) {
            return Some(Made { number: known.number, process: known.process });
        }
        let status = Status::of(tid);
        let process = status.process?;
        let process_number = self.know_process(process, status.parent);
        let ever = self.shared.with(|state| state.record.threads.len());
        let number = u32::try_from(ever + 1).unwrap_or(u32::MAX);
        let thread = Traced {
            number,
            process,
            inside: None,
            put_off: None,
            interrupted: None,
            lie: None,
            stopped: false,
        };
        self.threads.insert(tid, thread);
        self.shared.add_thread(Thread { number, process: process_number, tid }, process);
        let made = Made { number, process };
        if tid != self.leader {
            self.early.insert(tid, made);
        }
        Some(made)
    }

    fn know_process(&mut self, process: i32, parent: Option<i32>) -> u32 {
        if let Some(known) = self.processes.get(&process) {
            return known.number;
        }
        let ever = self.shared.with(|state| {
            state.record.threads.iter().map(|thread| thread.process).max().unwrap_or(0)
        });
        let open = match parent.and_then(|parent| self.processes.get(&parent)) {
            Some(parent) => parent.open.of_child(process),
            None => Descriptors::new(process),
        };
        self.processes.insert(process, Process { number: ever + 1, open });
        ever + 1
    }

    /// The subject is stopped when all its threads are: those of its first process.
    fn stops(&mut self, tid: i32, stopped: bool) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        if thread.stopped == stopped {
            return;
        }
        thread.stopped = stopped;
        let mut subject = self.threads.values().filter(|thread| thread.process == self.leader);
        self.shared.subject_stopped(subject.all(|thread| thread.stopped));
    }

    fn note(&mut self, tid: i32, what: What) -> Option<usize> {
        let thread = self.threads.get(&tid)?.number;
        let at = monotonic().saturating_sub(self.began);
        self.shared.add(Event { at, thread, what })
    }

    fn at_a_call(&mut self, tid: i32) {
        match calls::at(tid) {
            Some(At::Entry(number, registers)) => {
                let name = name(number);
                if !self.is_made_at_last(tid, &name, registers) {
                    // First what the program asks for, then what is changed of it.
                    self.enters(tid, name.clone(), registers);
                    self.lies(tid, &name, registers);
                }
            }
            // Without a name that decoding knows it is told in numbers.
            Some(At::Entry32(number, registers)) => {
                self.enters(tid, format!("32-bit call {number}"), registers);
            }
            Some(At::Exit(result)) => {
                let lie = self.threads.get_mut(&tid).and_then(|thread| thread.lie.take());
                if let Some(Begun::Later(later)) = &lie {
                    later.make_the_call(tid);
                    self.has_slept(tid);
                    return;
                }
                let injected = lie.is_some();
                let told = lie.and_then(|lie| Liar::behind(tid, lie));
                self.leaves(tid, told.unwrap_or(result), injected);
            }
            None => {}
        }
    }

    /// The thread will make the call that was put off; before it, a signal's handler may make others.
    fn has_slept(&mut self, tid: i32) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        if let (Some(put_off), Some((place, ..))) = (&mut thread.put_off, thread.inside.take()) {
            put_off.place = Some(place);
        }
    }

    /// Is this call the one that was put off? Then it is not put off again.
    fn is_made_at_last(&mut self, tid: i32, name: &str, registers: [u64; 6]) -> bool {
        let Some(thread) = self.threads.get_mut(&tid) else { return false };
        let is = |put_off: &mut PutOff| put_off.name == name && put_off.registers == registers;
        let Some(PutOff { name, registers, place }) = thread.put_off.take_if(is) else {
            return false;
        };
        if let Some(place) = place {
            thread.inside = Some((place, name, registers));
            self.shared.complete(place, |call| call.injected = true);
        }
        true
    }

    fn lies(&mut self, tid: i32, name: &str, registers: [u64; 6]) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        thread.lie = self.liar.before(tid, thread.process, name, registers);
        if let Some(Begun::Later(_)) = thread.lie {
            thread.put_off = Some(PutOff { name: name.to_owned(), registers, place: None });
        }
    }

    fn enters(&mut self, tid: i32, name: String, registers: [u64; 6]) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        let Some(process) = self.processes.get_mut(&thread.process) else { return };
        // Beyond the record's limit calls are counted, and nothing is written down.
        if self.shared.leaves_out() {
            return;
        }
        // restart_syscall(2) has no arguments: it goes on with the wait that was interrupted.
        let interrupted = thread.interrupted.take().filter(|_| name == "restart_syscall");
        let (name, registers) = interrupted.unwrap_or((name, registers));
        let raw = Raw { name: &name, registers };
        let arguments = decode::entry(raw, Memory(tid), &mut process.open);
        let call = Call {
            name: name.clone(),
            arguments,
            outcome: CallOutcome::Pending,
            returned: None,
            injected: false,
        };
        let Some(place) = self.note(tid, What::Call(call)) else { return };
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.inside = Some((place, name, registers));
        }
    }

    fn leaves(&mut self, tid: i32, result: Result<i64, i32>, injected: bool) {
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        // The exec that started the subject was entered before it was the subject.
        let Some((place, name, registers)) = thread.inside.take() else { return };
        let returned = monotonic().saturating_sub(self.began);
        let process_id = thread.process;
        let Some(process) = self.processes.get_mut(&process_id) else { return };
        let raw = Raw { name: &name, registers };
        let memory = Memory(tid);
        let (open, openings) = (&mut process.open, &mut self.openings);
        if result == Err(calls::ERESTART_RESTARTBLOCK) {
            thread.interrupted = Some((name.clone(), registers));
        }
        self.shared.complete(place, |call| {
            let arguments = &mut call.arguments;
            call.outcome = match result {
                Ok(value) => {
                    decode::exit(raw, value, arguments, memory, open, openings);
                    CallOutcome::Value(value)
                }
                Err(errno) => {
                    if let (Arguments::Address { socket, address }, libc::EINPROGRESS, "connect") =
                        (arguments, errno, raw.name)
                    {
                        decode::connected(socket, address, open);
                    }
                    CallOutcome::Error(errno_name(errno))
                }
            };
            call.returned = Some(returned);
            call.injected |= injected;
        });
    }

    fn made(&mut self, tid: i32) {
        let Some(child) = calls::message(tid) else { return };
        // A number that is in use is this child's. A life so short that it is over was either seen
        // early, or ended before its first news: then there is nothing to tell.
        let now = self.know(child);
        let early = self.early.remove(&child);
        let Some(made) = now.or(early) else { return };
        let same = Some(made.process) == self.threads.get(&tid).map(|thread| thread.process);
        let what = if same { What::NewThread } else { What::NewProcess };
        self.note(tid, what(made.number));
    }

    /// A thread other than the first may call exec: it goes on with the first one's number.
    fn became(&mut self, tid: i32) {
        let old = calls::message(tid).unwrap_or(tid);
        // With the old number equal to the new one this changes nothing.
        if let Some(thread) = self.threads.remove(&old) {
            self.threads.insert(tid, thread);
        }
        let Some(thread) = self.threads.get(&tid) else { return };
        if let Some(process) = self.processes.get_mut(&thread.process) {
            process.open.after_exec(thread.process);
        }
        self.note(tid, What::Became(program(tid)));
    }

    fn ended(&mut self, tid: i32, status: i32) {
        let what = if libc::WIFSIGNALED(status) {
            What::Killed(calls::signal_name(libc::WTERMSIG(status)))
        } else {
            What::Ended(libc::WEXITSTATUS(status))
        };
        self.note(tid, what);
        self.threads.remove(&tid);
        if self.processes.contains_key(&tid) {
            self.processes.remove(&tid);
            self.shared.process_ended(tid);
        }
        if tid == self.leader {
            self.shared.subject_ended(status);
        }
    }
}

/// A system call's name on this architecture.
fn name(number: u64) -> String {
    usize::try_from(number)
        .ok()
        .and_then(syscalls::Sysno::new)
        .map_or_else(|| format!("call {number}"), |known| known.name().to_owned())
}

/// What `/proc/TID/status` says of a thread: its process, and that process's parent.
#[derive(Debug, Default)]
struct Status {
    process: Option<i32>,
    parent: Option<i32>,
}

impl Status {
    fn of(tid: i32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
        let field = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name));
            value.and_then(|value| value.trim().parse().ok())
        };
        Self { process: field("Tgid:"), parent: field("PPid:") }
    }
}

/// The file name of the program that a process runs.
fn program(process: i32) -> String {
    let path = std::fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default();
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The error of `PTRACE_SEIZE`, as a sentence that names the setting if one forbids it.
pub(super) fn explain(errno: Errno) -> std::io::Error {
    let text = match errno {
        Errno::EPERM | Errno::EACCES => {
            "ptrace(2) is forbidden here: kernel.yama.ptrace_scope must be at most 1 (where it \
             exists), a container must allow ptrace (--cap-add=SYS_PTRACE, or a newer seccomp \
             profile), and nothing that runs under strace or a debugger can have another witness"
        }
        Errno::ENOSYS => {
            "this system has no ptrace(2): it may be an emulated or a sandboxed kernel"
        }
        Errno::EIO | Errno::EINVAL => {
            "this kernel's ptrace(2) has no PTRACE_SEIZE or PTRACE_GET_SYSCALL_INFO: Linux 5.3 or \
             later is needed"
        }
        _ => return errno.into(),
    };
    Need::Ptrace.missing(format!("no witness here: {text}"))
}
