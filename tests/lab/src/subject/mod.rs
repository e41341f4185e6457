//! A program on trial: started, asked for its address, and never left running.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::limits;
use crate::namespace::{self, Inside, Network};
use crate::process::Process;
use crate::wait::{self, PATIENCE};
use crate::witness::record::Record;
use crate::witness::{self, Waiting, Witness};

/// linux/capability.h; the libc crate has no name for it.
const CAP_NET_BIND_SERVICE: libc::c_ulong = 10;

/// How to start a subject. Standard input is empty, standard output and error are read by the lab.
#[derive(Debug)]
pub struct Launch {
    command: Command,
    descriptors: Option<(u64, u64)>,
    may_bind_low_ports: bool,
    network: Option<Network>,
    witnessed: bool,
}

impl Launch {
    /// Will run the program at `path`.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let mut command = Command::new(path.as_ref());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self {
            command,
            descriptors: None,
            may_bind_low_ports: true,
            network: None,
            witnessed: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Gives the subject another standard input: a file, or the read end of a pipe.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Stdio>) -> Self {
        self.command.stdin(input);
        self
    }

    /// Gives the subject another standard output, which the lab then does not read:
    /// [`Subject::line`] returns `None`.
    #[must_use]
    pub fn stdout(mut self, output: impl Into<Stdio>) -> Self {
        self.command.stdout(output);
        self
    }

    /// Gives the subject another standard error, which the lab then does not read.
    #[must_use]
    pub fn stderr(mut self, output: impl Into<Stdio>) -> Self {
        self.command.stderr(output);
        self
    }

    /// Runs the subject in a network of its own.
    ///
    /// Where user namespaces are forbidden, [`Launch::start`] fails with the kind `Unsupported` and
    /// a sentence that names the setting: see [`crate::missing`].
    #[must_use]
    pub fn in_namespace(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    /// Runs the subject under the witness: [`Subject::record`] tells what it did.
    ///
    /// Where ptrace(2) is forbidden, [`Launch::start`] fails with the kind `Unsupported` and a
    /// sentence that names the setting: see [`crate::missing`].
    #[must_use]
    pub fn witnessed(mut self) -> Self {
        self.witnessed = true;
        self
    }

    /// Limits the subject to `count` descriptors, soft and hard: `RLIMIT_NOFILE`, setrlimit(2).
    #[must_use]
    pub fn descriptor_limit(self, count: u64) -> Self {
        self.descriptor_limits(count, count)
    }

    /// Gives the subject a soft limit of descriptors, which it may raise up to the hard one.
    #[must_use]
    pub fn descriptor_limits(mut self, soft: u64, hard: u64) -> Self {
        self.descriptors = Some((soft, hard));
        self
    }

    /// Takes away the privilege to bind ports below `net.ipv4.ip_unprivileged_port_start`, which
    /// root has: capabilities(7), `CAP_NET_BIND_SERVICE`. Without root there is nothing to take.
    #[must_use]
    pub fn without_low_ports(mut self) -> Self {
        self.may_bind_low_ports = false;
        self
    }

    /// Starts the program. It is killed when the returned [`Subject`] is dropped, and also when the
    /// thread that called this ends, however it ends.
    ///
    /// # Errors
    ///
    /// What fork(2) and execve(2) say, with the program's path.
    pub fn start(mut self) -> io::Result<Subject> {
        let parent = nix::unistd::getpid();
        let Self { descriptors, may_bind_low_ports, .. } = self;
        let network = self.network.as_ref().map(Network::prepare).transpose()?;
        let in_namespace = network.is_some();
        let (network, handed_over) = network.unzip();
        let witness = self.witnessed.then(Waiting::start).transpose();
        let witness = witness.map_err(limits::explain_start)?;
        let taken = witness.as_ref().map(Waiting::for_the_child);
        let prepare = move || {
            if let Some((soft, hard)) = descriptors {
                setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
            }
            forget_inherited_descriptors();
            if !may_bind_low_ports {
                // SAFETY: a system call with plain numbers. It fails without root, and then there
                // is no such privilege either.
                unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_NET_BIND_SERVICE) };
            }
            // Before the line below: new credentials could clear what it sets.
            if let Some(network) = &network {
                network.enter()?;
            }
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
            if let Some(taken) = &taken {
                taken.wait_for_the_witness()?;
            }
            // If the parent ended before the line above, its signal will never come.
            if nix::unistd::getppid() == parent { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
        };
        // SAFETY: between fork and exec the closure makes only system calls, and allocates nothing.
        unsafe { self.command.pre_exec(prepare) };
        let path = self.command.get_program().to_owned();
        let mut child = self.command.spawn().map_err(|error| {
            let refused = witness.as_ref().and_then(Waiting::refused);
            let error = witness::explain(error, refused);
            let error = if in_namespace { namespace::explain(error) } else { error };
            // In a namespace it may as well be a file of /proc that is not there.
            let error = if in_namespace { error } else { no_interpreter(error, &path) };
            let error = limits::explain_start(error);
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let witness = witness.map(Waiting::begun);
        let inside = Inside::default();
        let mut subject = Subject { child, witness, stdout: None, stderr: None, inside };
        // An error drops the subject, and so ends it.
        subject.stdout = stdout.map(Lines::of).transpose()?;
        subject.stderr = stderr.map(Text::of).transpose()?;
        if let Some(handed_over) = handed_over {
            subject.inside = handed_over.take()?;
        }
        Ok(subject)
    }

    /// Starts a server on a port of the kernel's choice and waits for its first line.
    ///
    /// # Errors
    ///
    /// As [`Launch::start`]; or a sentence with what the server printed instead of its address.
    pub fn server(self) -> io::Result<Server> {
        let path = self.command.get_program().to_owned();
        let subject = self.arg("--listen").arg("127.0.0.1:0").start()?;
        Server::new(subject)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }
}

/// execve(2) says `ENOENT` of a file that is there, if what shall run it is not.
fn no_interpreter(error: io::Error, program: &OsStr) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound && Path::new(program).exists() {
        let text = "it is there, but what runs it is not: the interpreter after #! in its first \
                    line, or the loader that it was linked with";
        return io::Error::new(error.kind(), text);
    }
    error
}

/// Marks every descriptor but the standard streams to be closed by the coming exec, so that a
/// subject's first descriptor is 3 wherever the tests were started from: `close_range(2)`.
///
/// Makes one system call and allocates nothing: it may be called between fork and exec. Before
/// Linux 5.11 it does nothing, and inherited descriptors stay.
fn forget_inherited_descriptors() {
    // SAFETY: a system call with plain numbers; it changes flags of descriptors and no memory.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

/// Raises this process's own soft limit of descriptors to its hard limit, for checks with many
/// clients; returns the limit.
///
/// # Errors
///
/// What setrlimit(2) says.
pub fn raise_own_descriptor_limit() -> io::Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// A running program. Dropped means killed and waited for.
#[derive(Debug)]
pub struct Subject {
    child: Child,
    witness: Option<Witness>,
    stdout: Option<Lines>,
    stderr: Option<Text>,
    inside: Inside,
}

impl Subject {
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
    /// A sentence, when no line comes within [`PATIENCE`].
    pub fn line(&self) -> io::Result<Option<String>> {
        match &self.stdout {
            Some(lines) => lines.next(),
            None => Ok(None),
        }
    }

    /// What it has written to standard error so far, of which at most 16 MiB are kept.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.as_ref().map(Text::so_far).unwrap_or_default()
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
        // Waited for by the witness: its number may be somebody else's by now.
        if self.witness.as_ref().is_some_and(|witness| witness.status().is_some()) {
            return Err(Errno::ESRCH.into());
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

    /// Lets it continue after [`Subject::stop`].
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
        match &self.witness {
            // Asking the kernel here would take away the news that the witness waits for.
            Some(witness) => Ok(witness.status()),
            None => self.child.try_wait(),
        }
    }

    /// What the witness has recorded so far; `None` without [`Launch::witnessed`]. After
    /// [`Subject::exit_status`] nothing is added for the subject itself.
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
    /// A sentence, when it does not within [`PATIENCE`].
    pub fn exit_status(&mut self) -> io::Result<ExitStatus> {
        if let Some(witness) = &self.witness {
            return witness.wait(PATIENCE);
        }
        wait::try_until("the subject ends by itself", || {
            self.child.try_wait().map(|ended| ended.is_some())
        })?;
        self.child.wait()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
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
        let _ = self.child.wait();
    }
}

/// What a server owes whoever started it.
const FIRST_LINE: &str =
    "a server's first line on standard output must be `listening on ADDR:PORT`";

/// How long after the end of its output a program that has ended may still seem to run.
const MOMENT: Duration = Duration::from_secs(1);

/// A message quotes at most so many characters of what a program printed.
const QUOTED: usize = 1000;

/// What is quoted of a text that may be endless.
fn beginning(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTED).collect();
    if quoted.len() < text.len() {
        quoted.push('\u{2026}');
    }
    quoted
}

/// What a message says of a standard error.
fn said(stderr: &str) -> String {
    match stderr.trim_end() {
        "" => String::new(),
        text => format!("; its standard error: {:?}", beginning(text)),
    }
}

/// A subject that has said `listening on ADDR:PORT`.
#[derive(Debug)]
pub struct Server {
    subject: Subject,
    address: SocketAddr,
}

impl Server {
    /// Starts the server at `path` on a port of the kernel's choice: [`Launch::server`].
    ///
    /// # Errors
    ///
    /// As [`Launch::server`].
    pub fn start(path: impl AsRef<Path>) -> io::Result<Self> {
        Launch::new(path).server()
    }

    /// Takes over a subject that is about to print its first line.
    ///
    /// # Errors
    ///
    /// A sentence with what came instead.
    pub fn new(mut subject: Subject) -> io::Result<Self> {
        let line = subject.line().map_err(|error| {
            let text = format!("{error}: {FIRST_LINE}{}", said(&subject.stderr()));
            io::Error::new(error.kind(), text)
        })?;
        let Some(line) = line else {
            // Its end is told a moment after the end of its output, if it has ended.
            let mut end = None;
            let _ = wait::until_within(MOMENT, "the subject has ended", || {
                end = subject.ended().ok().flatten();
                end.is_some()
            });
            let what = end.map_or_else(
                || "it closed its standard output".to_owned(),
                |status| format!("it ended ({status})"),
            );
            let stderr = said(&subject.stderr());
            return Err(io::Error::other(format!(
                "{what} and said no address: {FIRST_LINE}{stderr}"
            )));
        };
        let address = line.strip_prefix("listening on ");
        let Some(address) = address.and_then(|it| it.parse::<SocketAddr>().ok()) else {
            let (line, stderr) = (beginning(&line), said(&subject.stderr()));
            return Err(io::Error::other(format!("{FIRST_LINE}; it printed {line:?}{stderr}")));
        };
        let ip = address.ip().to_canonical();
        // The lab talks to nobody but its own machine, whatever a program says.
        if !(ip.is_loopback() || ip.is_unspecified()) || address.port() == 0 {
            return Err(io::Error::other(format!(
                "it says that it listens on {address}, which is no address of a server on \
                 loopback: nobody connects to it; it must listen where --listen says"
            )));
        }
        Ok(Self { subject, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl std::ops::Deref for Server {
    type Target = Subject;

    fn deref(&self) -> &Subject {
        &self.subject
    }
}

impl std::ops::DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Subject {
        &mut self.subject
    }
}

/// So much of a subject's output is kept until somebody asks for it, of each of its two streams.
/// What comes beyond is read and thrown away: a flood blocks nobody, and fills no memory.
const KEPT: usize = 16 << 20;

/// Standard output, read line by line on a thread of its own so that a wait for it can be bounded.
#[derive(Debug)]
struct Lines {
    /// Lines, and the memory that each takes.
    receiver: Receiver<(usize, String)>,
    /// The memory of the lines that nobody has asked for yet.
    waiting: Arc<AtomicUsize>,
}

impl Lines {
    fn of(source: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&waiting);
        limits::thread(move || {
            let mut source = BufReader::new(source);
            loop {
                let room = KEPT.saturating_sub(theirs.load(Relaxed));
                let mut line = Vec::new();
                let most = u64::try_from(room).unwrap_or(u64::MAX);
                let Ok(count) = source.by_ref().take(most).read_until(b'\n', &mut line) else {
                    return;
                };
                if count == room {
                    // Too much, or a line without an end: read on, and keep nothing of it.
                    let _ = io::copy(&mut source, &mut io::sink());
                    return;
                }
                if count == 0 {
                    return;
                }
                let ends = [b"\r\n".as_slice(), b"\n"];
                let text = ends.iter().find_map(|end| line.strip_suffix(*end)).unwrap_or(&line);
                let text = String::from_utf8_lossy(text).into_owned();
                let cost = count + size_of::<String>();
                theirs.fetch_add(cost, Relaxed);
                if sender.send((cost, text)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { receiver, waiting })
    }

    fn next(&self) -> io::Result<Option<String>> {
        match self.receiver.recv_timeout(PATIENCE) {
            Ok((cost, line)) => {
                self.waiting.fetch_sub(cost, Relaxed);
                Ok(Some(line))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                Err(io::Error::other(format!("no line on standard output within {PATIENCE:?}")))
            }
        }
    }
}

/// Standard error, gathered on a thread of its own so that the subject never blocks on it.
#[derive(Debug)]
struct Text {
    gathered: Arc<Mutex<Vec<u8>>>,
    gathering: thread::JoinHandle<()>,
}

impl Text {
    fn of(mut source: impl Read + Send + 'static) -> io::Result<Self> {
        let gathered = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&gathered);
        let gathering = limits::thread(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                let mut gathered = theirs.lock().unwrap_or_else(PoisonError::into_inner);
                let room = KEPT - gathered.len();
                gathered.extend(&buffer[..count.min(room)]);
            }
        })?;
        Ok(Self { gathered, gathering })
    }

    fn into_whole(self) -> String {
        // The thread ends at the end of the stream; that it could panic is no reason to.
        let _ = self.gathering.join();
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&gathered).into_owned()
    }

    fn so_far(&self) -> String {
        let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&gathered).into_owned()
    }
}
