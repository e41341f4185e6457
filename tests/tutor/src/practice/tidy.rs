//! What is started here does not outlive this process, and a terminal is left as it was found: at the end, when
//! somebody presses Ctrl-C, and when SIGTERM comes.
//!
//! A thread waits for these signals; the others are not interrupted. Whatever loses its parent below this process
//! becomes its child: prctl(2), `PR_SET_CHILD_SUBREAPER`. So it is found, whoever has made it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use lab::process::Process;
use lab::wait;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise, sigprocmask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::terminal;

/// The process is about to end by a signal.
static ENDING: AtomicBool = AtomicBool::new(false);

/// The environment's variable that says in which folder another tutor, which has started this one, keeps what goes away
/// with it.
pub const SCRATCH: &str = "READINESS_SCRATCH";

/// A folder that goes away with the process.
static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// As long as it lives, what is started is ended with this process.
#[derive(Debug)]
pub struct Tidy {
    scratch: PathBuf,
}

/// How long what was killed may take to be gone.
const GONE: Duration = Duration::from_secs(2);

impl Tidy {
    /// From now on. Must be called before there is a second thread. `scratch` is made, and goes away at the end;
    /// what an earlier process that was killed has left beside it goes away as well.
    ///
    /// # Errors
    ///
    /// What prctl(2), starting a thread and making the folder say.
    pub fn begin(scratch: &Path) -> io::Result<Self> {
        nix::sys::prctl::set_child_subreaper(true)?;
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCONT]
            .into_iter()
            .collect();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&signals), None)?;
        thread::Builder::new().spawn(move || {
            while let Ok(signal) = signals.wait() {
                match signal {
                    Signal::SIGCONT => terminal::again(),
                    signal => end_by(signal),
                }
            }
        })?;
        let given = std::env::var_os(SCRATCH).map(PathBuf::from);
        let scratch = given.as_deref().unwrap_or(scratch);
        sweep(scratch);
        let scratch = scratch.join(std::process::id().to_string());
        *FOLDER.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(scratch.clone());
        cli::apart::make(&scratch)?;
        Ok(Self { scratch })
    }

    /// The folder.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }
}

impl Drop for Tidy {
    fn drop(&mut self) {
        rest_if_ending();
        end_descendants();
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// Removes the folders of processes that have ended.
fn sweep(scratch: &Path) {
    for entry in fs::read_dir(scratch).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.parse::<u32>().is_ok_and(|pid| Process(pid).state().is_err()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Does not come back while the process ends by a signal: what was killed for that is no news.
pub fn rest_if_ending() {
    while ENDING.load(SeqCst) {
        thread::park();
    }
}

/// Ends this process as the signal would, when all is tidy.
fn end_by(by: Signal) {
    ENDING.store(true, SeqCst);
    terminal::restore();
    end_descendants();
    if let Some(scratch) = &*FOLDER.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
        let _ = fs::remove_dir_all(scratch);
    }

    let _ = set_default(by);
    let _ = raise(by);
    // Only where the signal could not end us.
    std::process::exit(128 + by as i32);
}

/// Whoever has started us sees by which signal we ended.
fn set_default(of: Signal) -> nix::Result<()> {
    let mut only = SigSet::empty();
    only.add(of);
    only.thread_unblock()
}

/// Kills whatever this process has started, and what that has made, and waits until it is gone.
pub fn end_descendants() {
    let own = Process(std::process::id());
    let _ = wait::until_within(GONE, "all is gone", || {
        // A process could be made between the look and the kill: look again until nothing is left.
        for process in own.descendants() {
            let _ = kill(Pid::from_raw(process.0.cast_signed()), Signal::SIGKILL);
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return false,
                Ok(_) => {}
                // ECHILD: nobody is left.
                Err(_) => return true,
            }
        }
    });
}
