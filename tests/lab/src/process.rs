//! What `/proc` says about a running program: proc(5).

use std::fmt;
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use syscalls::Sysno;

use crate::wait::{self, QUIET, patience};
use crate::witness;
use crate::witness::record::Descriptor;
use crate::witness::sentences::common_name;

/// The calls that may sleep and begin with the descriptor that they are about.
const ABOUT_A_DESCRIPTOR: [&str; 6] = ["read", "write", "accept", "connect", "epoll_wait", "close"];

/// Where a thread is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InCall {
    /// Its number: gettid(2).
    pub thread: u32,
    /// The call that it is in, by the name that a person knows it by; `None` if it is in none.
    pub call: Option<String>,
    /// The descriptor that the call is about, if it is about one.
    pub descriptor: Option<Descriptor>,
}

impl fmt::Display for InCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.call, &self.descriptor) {
            (Some(call), Some(descriptor)) => write!(f, "in {call} {descriptor}"),
            (Some(call), None) => write!(f, "in {call}"),
            (None, _) => f.write_str("in no call: it runs"),
        }
    }
}

/// How many processes and threads run as this user: what `RLIMIT_NPROC` counts.
pub(crate) fn count_of_this_user() -> u64 {
    let user = nix::unistd::getuid().as_raw().to_string();
    let of = |status: &str| -> Option<u64> {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()
        };
        (field("Uid:")? == user).then(|| field("Threads:")?.parse().ok())?
    };
    let statuses =
        numbers().filter_map(|one| fs::read_to_string(format!("/proc/{one}/status")).ok());
    statuses.filter_map(|status| of(&status)).sum()
}

/// The numbers of all processes that this one can see.
fn numbers() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// A running process, known by its number. Nothing here holds it: it may end at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(pub u32);

impl Process {
    /// The processes that it has made and that they have made, as far as they run and have not been
    /// left to somebody else: `/proc/PID/task/TID/children`.
    #[must_use]
    pub fn descendants(self) -> Vec<Self> {
        let mut found = Vec::new();
        let mut next = vec![self];
        while let Some(process) = next.pop() {
            let children = process.children();
            found.extend(&children);
            next.extend(children);
        }
        found
    }

    /// The processes that were started with this variable in their environment: `/proc/PID/environ`, as far as this
    /// user may read it.
    #[must_use]
    pub fn with(name: &str, value: &str) -> Vec<Self> {
        let wanted = format!("{name}={value}");
        let has_it = |process: &Self| {
            let environment = fs::read(format!("/proc/{}/environ", process.0)).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes())
        };
        numbers().map(Self).filter(has_it).collect()
    }

    fn children(self) -> Vec<Self> {
        let threads =
            fs::read_dir(format!("/proc/{}/task", self.0)).into_iter().flatten().flatten();
        let lists =
            threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let lists: Vec<String> = lists.collect();
        let numbers = lists.iter().flat_map(|list| list.split_whitespace());
        numbers.filter_map(|number| number.parse().ok().map(Self)).collect()
    }

    /// How many threads it has: `Threads:` of `/proc/PID/status`.
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when the process has ended.
    pub fn threads(self) -> io::Result<u64> {
        self.status("Threads:")
    }

    /// Resident memory in bytes: `VmRSS:` of `/proc/PID/status`.
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when the process has ended.
    pub fn resident_bytes(self) -> io::Result<u64> {
        Ok(self.status("VmRSS:")? * 1024)
    }

    /// How many descriptors it has open: the entries of `/proc/PID/fd`.
    ///
    /// # Errors
    ///
    /// `ENOENT` when the process has ended, `EACCES` when it is somebody else's.
    pub fn descriptors(self) -> io::Result<usize> {
        Ok(self.descriptor_numbers()?.len())
    }

    /// Their numbers, in order.
    ///
    /// # Errors
    ///
    /// As [`Process::descriptors`].
    pub fn descriptor_numbers(self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(format!("/proc/{}/fd", self.0))? {
            numbers.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Processor time used so far by all its threads: `utime` and `stime` of `/proc/PID/stat`, in
    /// steps of one clock tick, which is 10 ms.
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when the process has ended.
    pub fn cpu_time(self) -> io::Result<Duration> {
        let stat = self.stat()?;
        let ticks = |field: usize| stat.get(field).and_then(|text| text.parse::<u64>().ok());
        // utime and stime are fields 14 and 15; the first two, pid and comm, are cut off.
        let (Some(user), Some(system)) = (ticks(11), ticks(12)) else {
            return Err(io::Error::other("/proc/PID/stat has another form"));
        };
        Ok(Duration::from_millis((user + system) * 10))
    }

    /// Its state as one letter: `R` running, `S` sleeping, `T` stopped, `Z` ended but not yet
    /// waited for.
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when the process has ended and was waited for.
    pub fn state(self) -> io::Result<char> {
        state(&self.stat()?)
    }

    /// The state of one of its threads, as [`Process::state`]; none when that has ended.
    ///
    /// # Errors
    ///
    /// What open(2) and read(2) say.
    pub fn thread_state(self, thread: u32) -> io::Result<Option<char>> {
        match stat(&format!("/proc/{}/task/{thread}/stat", self.0)) {
            Ok(stat) => state(&stat).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            // So it says if the thread ends while its file is open.
            Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Does every thread of it sleep: none running, and none stopped? Not while one is just ending.
    ///
    /// # Errors
    ///
    /// `ENOENT` when the process has ended.
    pub fn all_threads_sleep(self) -> io::Result<bool> {
        for task in fs::read_dir(format!("/proc/{}/task", self.0))? {
            let name = task?.file_name();
            let thread = name.to_str().and_then(|name| name.parse().ok()).unwrap_or_default();
            if self.thread_state(thread)? != Some('S') {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How often it has gone to sleep so far: `voluntary_ctxt_switches` of `/proc/PID/status`. For a
    /// program of one thread that is how often it has waited and been woken.
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when the process has ended.
    pub fn sleeps(self) -> io::Result<u64> {
        self.status("voluntary_ctxt_switches:")
    }

    /// How many places its table of descriptors has at this moment: `FDSize` of `/proc/PID/status`.
    ///
    /// # Errors
    ///
    /// `ENOENT` or `ESRCH` when the process has ended.
    pub fn descriptor_table_size(self) -> io::Result<u64> {
        self.status("FDSize:")
    }

    /// Waits until it is at rest: a window of [`QUIET`] in which it was woken at most twice,
    /// was asleep at both ends, and used at most two clock ticks (20 ms) of processor time. A program that spins has no such
    /// window, however long one looks.
    ///
    /// # Errors
    ///
    /// A sentence with what it did in the last window, when [`patience`] is over.
    pub fn rests(self) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let asleep_before = self.state()? == 'S';
            let (cpu, sleeps) = (self.cpu_time()?, self.sleeps()?);
            // The window is the measurement itself: an absence cannot be waited for.
            thread::sleep(QUIET);
            let cpu = self.cpu_time()?.saturating_sub(cpu);
            let sleeps = self.sleeps()? - sleeps;
            // Runnable without a processor looks quiet too: at rest means asleep.
            let asleep = asleep_before && self.state()? == 'S';
            if asleep && sleeps <= 2 && cpu <= Duration::from_millis(20) {
                return Ok(());
            }
            if start.elapsed() > patience() {
                return Err(io::Error::other(format!(
                    "never at rest: in the last window asleep: {asleep}, woken {sleeps} times and {cpu:?} of processor time in {QUIET:?}"
                )));
            }
        }
    }

    /// Waits until a connect is pending in its network, and it sleeps: it has taken note of what came at
    /// once. The network must be its own: `/proc/PID/net/tcp`, proc(5).
    ///
    /// # Errors
    ///
    /// [`wait::Late`]; `ENOENT` when the process has ended.
    pub fn waits_for_a_connect(self) -> io::Result<()> {
        wait::try_until("a connect is pending and the process asleep", || {
            let table = fs::read_to_string(format!("/proc/{}/net/tcp", self.0))?;
            Ok(table.contains(" 02 ") && self.state()? == 'S')
        })
    }

    /// In which call each of its threads is at this moment: `/proc/PID/task/TID/syscall`, proc(5).
    ///
    /// # Errors
    ///
    /// `ENOENT` when the process has ended, `EACCES` when it is somebody else's.
    pub fn calls(self) -> io::Result<Vec<InCall>> {
        let mut calls = Vec::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.0))? {
            let name = task?.file_name();
            let Some(thread) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            let text = fs::read_to_string(format!("/proc/{}/task/{thread}/syscall", self.0))?;
            calls.push(self.in_call(thread, &text));
        }
        calls.sort_by_key(|call| call.thread);
        Ok(calls)
    }

    /// `7 0x4 0x1 ...` is a call, its number and its arguments; `running` and `-1 ...` are none.
    fn in_call(self, thread: u32, text: &str) -> InCall {
        let mut words = text.split_whitespace();
        let number = words.next().and_then(|word| word.parse().ok());
        let call = number.and_then(Sysno::new).map(|number| common_name(number.name()).to_owned());
        let first = words.next().and_then(|word| word.strip_prefix("0x"));
        let first = first.and_then(|digits| i64::from_str_radix(digits, 16).ok());
        let about_one = |name: &&String| ABOUT_A_DESCRIPTOR.contains(&name.as_str());
        let descriptor = call.as_ref().filter(about_one).and(first).map(|number| {
            let number = i32::try_from(number).unwrap_or(-1);
            let process = self.0.cast_signed();
            Descriptor { number, opening: 0, object: witness::look_up(process, number) }
        });
        InCall { thread, call, descriptor }
    }

    fn stat(self) -> io::Result<Vec<String>> {
        stat(&format!("/proc/{}/stat", self.0))
    }

    fn status(self, field: &str) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| io::Error::other(format!("/proc/PID/status has no {field}")))
    }
}

/// The fields of a `stat` file after the command's name, which may itself hold spaces.
fn stat(path: &str) -> io::Result<Vec<String>> {
    let stat = fs::read_to_string(path)?;
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

/// The first of those fields.
fn state(stat: &[String]) -> io::Result<char> {
    let state = stat.first().and_then(|text| text.chars().next());
    state.ok_or_else(|| io::Error::other("/proc/PID/stat has another form"))
}
