//! A command with a bound: it ends by itself, or it is ended with all that it started, when its time
//! is up or when we are told to end.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use lab::subject::with_default_signals;
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

/// How long a command may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// It was ended: its time was up.
    TimeUp,
    /// It was ended: we have got this signal.
    Told(Signal),
}

/// Runs commands, and hears of the signals that ask this program to end.
#[derive(Debug)]
pub struct Bounded {
    sender: Sender<News>,
    receiver: Receiver<News>,
}

#[derive(Debug)]
enum News {
    Ended,
    Signal(Signal),
}

impl Bounded {
    /// Receives SIGINT, SIGTERM and SIGHUP from now on: call it before any other thread is started,
    /// because it blocks them in this one and in those that it starts (pthreads(7)).
    ///
    /// # Errors
    ///
    /// What `pthread_sigmask(3)` says.
    pub fn new() -> io::Result<Self> {
        let (sender, receiver) = channel();
        let asked = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
        asked.thread_block()?;
        let signals = sender.clone();
        thread::spawn(move || {
            while let Ok(signal) = asked.wait() {
                if signals.send(News::Signal(signal)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { sender, receiver })
    }

    /// Runs a command in a process group of its own, without input, its output in `output`.
    ///
    /// # Errors
    ///
    /// What starting it and waiting for it say.
    pub fn run(&self, command: &mut Command, limit: Duration, output: &File) -> io::Result<Ending> {
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
        // It shall not inherit that we block the signals which end it.
        let mut child = with_default_signals(command.process_group(0)).spawn()?;
        let group = Pid::from_raw(child.id().cast_signed());
        let sender = self.sender.clone();
        // It only looks: the process keeps its number until it is waited for below.
        let waiter = thread::spawn(move || {
            let seen = waitid(Id::Pid(group), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
            drop(sender.send(News::Ended));
            seen
        });
        let end = match self.receiver.recv_timeout(limit) {
            Ok(News::Ended) => None,
            Ok(News::Signal(signal)) => Some(Ending::Told(signal)),
            Err(RecvTimeoutError::Timeout) => Some(Ending::TimeUp),
            Err(RecvTimeoutError::Disconnected) => unreachable!("we hold a sender"),
        };
        if end.is_some() {
            self.end(group)?;
        }
        let status = finish(&mut child, group)?;
        let _ = waiter.join();
        Ok(end.unwrap_or(Ending::Exited(status)))
    }

    /// Asks a group to end, and returns when its first process has.
    fn end(&self, group: Pid) -> io::Result<()> {
        gone(killpg(group, Signal::SIGTERM))?;
        loop {
            match self.receiver.recv_timeout(GRACE) {
                Ok(News::Ended) => return Ok(()),
                // It is being ended already.
                Ok(News::Signal(_)) => {}
                Err(_) => gone(killpg(group, Signal::SIGKILL))?,
            }
        }
    }
}

/// Ends what a process has left behind in its group, and takes its status.
fn finish(child: &mut Child, group: Pid) -> io::Result<ExitStatus> {
    gone(killpg(group, Signal::SIGKILL))?;
    child.wait()
}

/// That nobody is there any more is what was wanted.
fn gone(killed: nix::Result<()>) -> io::Result<()> {
    match killed {
        Ok(()) | Err(Errno::ESRCH | Errno::EPERM) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::{Bounded, Ending};

    #[test]
    fn what_takes_too_long_is_ended_with_what_it_started() {
        let bounded = Bounded::new().expect("signals");
        let file = tempfile::tempfile().expect("a file");
        let sh = |script: &str| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]);
            command
        };
        let run = |script: &str, file: &File| {
            bounded.run(&mut sh(script), Duration::from_millis(300), file).expect("a shell")
        };
        assert!(matches!(run("exit 3", &file), Ending::Exited(status) if status.code() == Some(3)));
        let begun = Instant::now();
        assert_eq!(run("sleep 60 & wait", &file), Ending::TimeUp);
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
