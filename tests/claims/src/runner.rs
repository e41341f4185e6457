//! Runs experiments, each in a process of its own, several at a time, each within a bound.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use lab::limits;
use lab::need::Need;
use lab::wait;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::register::Claim;
use crate::report::{Ended, ExperimentReport};
use crate::seen::Seen;

/// How long an experiment may take. The longest needs a few seconds; a busy machine is no failure.
pub const BOUND: Duration = Duration::from_secs(20);

/// How many run at the same time. They mostly wait.
pub const AT_ONCE: usize = 4;

/// One experiment, tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The experiment's name.
    pub experiment: String,
    /// What it saw, as far as it came.
    pub seen: Seen,
    /// What that means.
    pub ruling: Ruling,
    /// With [`Ruling::NotHere`]: what was missing.
    pub need: Option<Need>,
    /// How long it took.
    pub took: Duration,
}

/// What a trial means for the claims that rest on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// This kernel does what the book says.
    AsTheBookSays,
    /// This kernel does something else: see the observations.
    Differs,
    /// This environment forbids it; a sentence with the setting.
    NotHere(String),
    /// The experiment itself failed.
    Broke(String),
}

/// Starts experiments and ends them.
pub struct TrialRunner {
    command: Box<dyn Fn(&str) -> Command + Send + Sync>,
    bound: Duration,
    running: Mutex<Running>,
}

/// The process groups that are running, by their leaders.
#[derive(Default)]
struct Running {
    groups: BTreeSet<i32>,
    stopped: bool,
}

impl TrialRunner {
    /// Starts experiments with the program `claims`, wherever it is.
    pub fn with_program(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        Self::new(move |name| {
            let mut command = Command::new(&program);
            command.args(["--experiment", name]);
            command
        })
    }

    /// `command` makes the command for the experiment of a name: one that prints its report, as
    /// [`crate::report::run_here`] does.
    pub fn new(command: impl Fn(&str) -> Command + Send + Sync + 'static) -> Self {
        Self { command: Box::new(command), bound: BOUND, running: Mutex::default() }
    }

    /// The same with another bound than [`BOUND`].
    #[must_use]
    pub fn bound(self, bound: Duration) -> Self {
        Self { bound, ..self }
    }

    /// Runs one experiment.
    pub fn one(&self, name: &str) -> Trial {
        let start = Instant::now();
        let (seen, ruling, need) = match self.report(name) {
            Ok(ExperimentReport { seen, ended, need }) => {
                let ruling = match ended {
                    Ended::Done if seen.agrees() => Ruling::AsTheBookSays,
                    Ended::Done => Ruling::Differs,
                    Ended::Unsupported(why) => Ruling::NotHere(why),
                    Ended::Broke(why) => Ruling::Broke(why),
                };
                (seen, ruling, need)
            }
            Err(error) => (Seen::default(), Ruling::Broke(error.to_string()), None),
        };
        Trial { experiment: name.to_owned(), seen, ruling, need, took: start.elapsed() }
    }

    /// Runs experiments as [`in_parallel`] does.
    pub fn all(&self, names: &[&str], told: impl FnMut(&Trial, usize)) -> Vec<Trial> {
        in_parallel(names, |name| self.one(name), told)
    }

    /// Kills every experiment that runs, with all its processes; none is started any more.
    pub fn stop(&self) {
        let mut running = self.running();
        running.stopped = true;
        for &group in &running.groups {
            // It may have ended already.
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, name: &str) -> io::Result<ExperimentReport> {
        let mut child = self.start(name)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let gathering = stdout.map(gather).transpose();
        let gathering = gathering.and_then(|stdout| Ok((stdout, stderr.map(gather).transpose()?)));
        let bound = if gathering.is_ok() { self.bound } else { Duration::ZERO };
        let (status, in_time) = self.end(&mut child, bound)?;
        let (stdout, stderr) = gathering?;
        // All that could hold these open is dead.
        let text = |gathering: Option<thread::JoinHandle<String>>| {
            gathering.and_then(|gathering| gathering.join().ok()).unwrap_or_default()
        };
        let (stdout, stderr) = (text(stdout), text(stderr));
        if !in_time {
            let bound = self.bound;
            return Err(io::Error::other(format!(
                "it did not end within {bound:?}, and was killed"
            )));
        }
        serde_json::from_str(&stdout).map_err(|_| {
            let said = stderr.trim_end();
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            io::Error::other(format!("it ended without a report, {status}{said}"))
        })
    }

    /// Starts it as the leader of a process group, so that all its processes can be ended with it.
    fn start(&self, name: &str) -> io::Result<Child> {
        let mut command = (self.command)(name);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        // Under the lock: `stop` never misses one that is being started.
        let mut running = self.running();
        if running.stopped {
            return Err(io::Error::other("stopped"));
        }
        let program = command.get_program().to_owned();
        let child = command.spawn().map_err(|error| {
            let error = limits::explain_start(error);
            io::Error::new(error.kind(), format!("{}: {error}", program.display()))
        })?;
        running.groups.insert(child.id().cast_signed());
        Ok(child)
    }

    /// Waits for its end, kills what is left of its group, and only then lets go of its number.
    fn end(&self, child: &mut Child, bound: Duration) -> io::Result<(ExitStatus, bool)> {
        let pid = Pid::from_raw(child.id().cast_signed());
        let ended = || {
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            !matches!(waitid(Id::Pid(pid), flags), Ok(WaitStatus::StillAlive))
        };
        let in_time = wait::until_within(bound, "the experiment ends", ended).is_ok();
        // While its leader is not waited for, nobody else can get the group's number.
        let _ = killpg(pid, Signal::SIGKILL);
        self.running().groups.remove(&pid.as_raw());
        Ok((child.wait()?, in_time))
    }
}

/// Does `each` to all items, [`AT_ONCE`] at a time; returns the results in their order. `told` hears of each as
/// it is there, with how many there are.
pub fn in_parallel<I: Sync, R: Send>(
    items: &[I],
    each: impl Fn(&I) -> R + Sync,
    mut told: impl FnMut(&R, usize),
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    // Item after item, until none is left that nobody has taken.
    let work = |done: &mpsc::Sender<(usize, R)>| {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            if done.send((at, each(item))).is_err() {
                return;
            }
        }
    };
    let (sender, receiver) = mpsc::channel();
    let mut results: BTreeMap<usize, R> = BTreeMap::new();
    thread::scope(|scope| {
        let mut workers = 0;
        for _ in 0..AT_ONCE.min(items.len()) {
            let (sender, work) = (sender.clone(), &work);
            // Where a limit forbids more threads, fewer do it.
            if thread::Builder::new().spawn_scoped(scope, move || work(&sender)).is_err() {
                break;
            }
            workers += 1;
        }
        if workers == 0 {
            work(&sender);
        }
        drop(sender);
        for (at, result) in receiver {
            told(&result, results.len() + 1);
            results.insert(at, result);
        }
    });
    results.into_values().collect()
}

/// Reads to the end on a thread of its own, so that the experiment never blocks on a full pipe.
fn gather(mut from: impl Read + Send + 'static) -> io::Result<thread::JoinHandle<String>> {
    limits::thread(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The experiments that these claims name, each once, in the order of the claims.
pub fn experiments<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> Vec<&'a str> {
    let mut names = Vec::new();
    for name in claims.into_iter().filter_map(|claim| claim.experiment.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
