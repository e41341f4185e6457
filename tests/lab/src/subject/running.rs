//! A program that runs: what it prints, what is done to it, and how it ends.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::output::{Lines, Text, Told};
use super::sight::{Hold, Known, Standing};
use crate::namespace::Inside;
use crate::process::Process;
use crate::wait::{self, patience};
use crate::witness::Witness;
use crate::witness::record::Record;

/// A running program. Dropped means killed and waited for.
#[derive(Debug)]
pub struct Running {
    pub(super) child: Child,
    pub(super) witness: Option<Witness>,
    pub(super) stdout: Option<Lines>,
    pub(super) stderr: Option<Text>,
    pub(super) inside: Inside,
    /// What others may know of it.
    pub(super) known: Arc<Known>,
}

impl Running {
    /// The sockets of its network that the lab holds: what [`Launch::in_namespace`] asked for.
    /// Taken once; later it is empty.
    pub fn inside(&mut self) -> Inside {
        std::mem::take(&mut self.inside)
    }

    /// What `/proc` says about it.
    #[must_use]
    pub fn process(&self) -> Process {
        Process(self.child.id())
    }

    /// The next line of its standard output without the line's end; `None` at the end of output. Of
    /// what nobody asks for 16 MiB are kept; bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    ///
    /// [`wait::Late`], when no line comes within [`patience`].
    pub fn line(&self) -> io::Result<Option<String>> {
        let Some(line) = self.raw_line(patience())? else { return Ok(None) };
        let ends = [b"\r\n".as_slice(), b"\n"];
        let text = ends.iter().find_map(|end| line.strip_suffix(*end)).unwrap_or(&line);
        Ok(Some(String::from_utf8_lossy(text).into_owned()))
    }

    /// The same as it was printed, with its end.
    pub(crate) fn raw_line(&self, limit: Duration) -> io::Result<Option<Vec<u8>>> {
        self.stdout.as_ref().map_or(Ok(None), |lines| lines.next(limit))
    }

    /// It has printed more than the lab keeps, and nobody reads on.
    pub(crate) fn is_too_much(&self) {
        if let Some(cut) = &self.known.stdout_cut {
            cut.store(true, Relaxed);
        }
    }

    /// What it has written to standard error so far, of which at most 16 MiB are kept.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.as_ref().map(Text::so_far).unwrap_or_default()
    }

    /// The lines that it has written to standard error so far, with the time at which each arrived.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.stderr.as_ref().map(Text::told).unwrap_or_default()
    }

    /// How it stands at this moment.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.known.standing()
    }

    /// All that it wrote to standard error: waits until it has closed it, which is when it has
    /// ended.
    #[must_use]
    pub fn final_stderr(&mut self) -> String {
        self.stderr.take().map(Text::into_whole).unwrap_or_default()
    }

    /// Sends a signal: kill(2).
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        self.still_ours()?;
        if matches!(signal, Signal::SIGKILL | Signal::SIGTERM | Signal::SIGINT) {
            self.known.told_to_end.store(true, Relaxed);
        }
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, signal).map_err(io::Error::from)
    }

    /// Changes how many descriptors it may have open while it runs: prlimit(2), soft limit only.
    /// Descriptors that are open already stay open.
    ///
    /// # Errors
    ///
    /// `EINVAL` above the hard limit, `ESRCH` when it has ended.
    pub fn set_descriptor_limit(&self, soft: u64) -> io::Result<()> {
        self.still_ours()?;
        let pid = self.child.id().cast_signed();
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the kernel writes one rlimit to the address, which is ours and lives on.
        let got =
            unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut limit) };
        Errno::result(got)?;
        limit.rlim_cur = soft;
        // SAFETY: the kernel reads one rlimit from the address, which is ours and lives on.
        let set = unsafe {
            libc::prlimit(pid, libc::RLIMIT_NOFILE, &raw const limit, std::ptr::null_mut())
        };
        Errno::result(set)?;
        Ok(())
    }

    /// Once it was waited for, its number may be somebody else's.
    fn still_ours(&self) -> io::Result<()> {
        let by_witness = self.witness.as_ref().is_some_and(|witness| witness.status().is_some());
        if by_witness || *self.known.hold() != Hold::Held {
            return Err(Errno::ESRCH.into());
        }
        Ok(())
    }

    /// Stops it and waits until the kernel says that it is stopped.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has ended; a sentence when it does not stop.
    pub fn stop(&self) -> io::Result<()> {
        self.signal(Signal::SIGSTOP)?;
        let stopped = || match &self.witness {
            // A traced process has the state of a stopped one at each of its calls, too.
            Some(witness) => witness.is_stopped(),
            None => self.process().state().is_ok_and(|state| state == 'T'),
        };
        wait::until("the subject is stopped", stopped)
    }

    /// Lets it continue after [`Running::stop`].
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has ended.
    pub fn go_on(&self) -> io::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    /// Has it ended? Then with which status.
    ///
    /// # Errors
    ///
    /// What waitpid(2) says.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if let Some(witness) = &self.witness {
            // Asking the kernel here would take away the news that the witness waits for.
            return Ok(witness.status());
        }
        let mut hold = self.known.hold();
        let end = self.child.try_wait()?;
        *hold = end.map_or(*hold, Hold::Ended);
        Ok(end)
    }

    /// What the witness has recorded so far; `None` without [`Launch::witnessed`]. After
    /// [`Running::exit_status`] nothing is added for the subject itself.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        self.witness.as_ref().map(Witness::record)
    }

    /// The processes that run: the subject, and what it has made, as the witness knows them. Empty
    /// without [`Launch::witnessed`].
    #[must_use]
    pub fn running(&self) -> Vec<Process> {
        let running = self.witness.as_ref().map(Witness::running).unwrap_or_default();
        running.into_iter().map(Process).collect()
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// [`wait::Late`], when it does not within [`patience`].
    pub fn exit_status(&mut self) -> io::Result<ExitStatus> {
        self.exit_status_within(patience())
    }

    /// The same within another limit.
    pub(crate) fn exit_status_within(&mut self, limit: Duration) -> io::Result<ExitStatus> {
        if let Some(witness) = &self.witness {
            return witness.wait(limit);
        }
        let mut end = None;
        wait::try_until_within(limit, "the subject ends by itself", || {
            end = self.ended()?;
            Ok(end.is_some())
        })?;
        end.ok_or_else(|| io::Error::other("it has no status"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Who may look at it later sees how it stood.
        self.known.keep_last_standing();
        // From here on its number may become somebody else's.
        let hold = std::mem::replace(&mut *self.known.hold(), Hold::Dropped);
        let children = match (&self.witness, hold) {
            (None, Hold::Held) => self.process().descendants(),
            // The witness ends all that it follows.
            _ => Vec::new(),
        };
        match &mut self.witness {
            Some(witness) => {
                witness.end();
                // Waited for by the witness: its number may be another child's by now.
                if witness.status().is_some() {
                    return;
                }
            }
            // It may have ended already, and then there is nobody to kill.
            None => drop(self.child.kill()),
        }
        // A script's server, for instance. What has detached itself from the subject is not found.
        for child in children {
            let _ = kill(Pid::from_raw(child.0.cast_signed()), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
