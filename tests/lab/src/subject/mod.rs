//! A program on trial: started, asked for its address, and never left running.
//!
//! - [`Launch`]: how it is started; `preparations`: what is prepared for that, each concern by itself;
//! - `restraint`: what it may not do to others;
//! - [`Running`]: it runs; [`Server`]: and has said where it listens;
//! - [`Sights`]: how it stands, for somebody who does not hold it;
//! - `output`: what it prints.

mod output;
mod preparations;
mod restraint;
mod running;
mod server;
mod sight;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::limits;
use crate::namespace::{Inside, Network};
use crate::need::Need;
use crate::witness::lie::Lie;
use crate::witness::{Waiting, Witness};
pub(crate) use output::KEPT;
pub use output::Told;
use output::{Lines, Text, feed};
use preparations::{
    DefaultSignals, Descriptors, EndWithUs, ForgetDescriptors, Preparation, Preparations,
    WithoutLowPorts,
};
use restraint::Restraint;
pub use running::Running;
pub use server::Server;
use sight::{Hold, Known};
pub use sight::{NoServer, Sighting, Sights, Standing};

/// How to start a subject. Standard input is empty, standard output and error are read by the lab.
#[derive(Debug)]
pub struct Launch {
    command: Command,
    /// What its standard input holds, if that is a pipe of ours.
    input: Option<Vec<u8>>,
    descriptors: Option<(u64, u64)>,
    may_bind_low_ports: bool,
    network: Option<Network>,
    witnessed: bool,
    lies: Vec<Lie>,
    seen_by: Option<Sights>,
    restrained: bool,
}

impl Launch {
    /// Will run the program at `path`.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let mut command = Command::new(path.as_ref());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self {
            command,
            input: None,
            descriptors: None,
            may_bind_low_ports: true,
            network: None,
            witnessed: false,
            lies: Vec::new(),
            seen_by: None,
            restrained: false,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds a variable to the environment that it inherits.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives the subject another standard input: a file, or the read end of a pipe.
    #[must_use]
    pub fn stdin(mut self, input: impl Into<Stdio>) -> Self {
        self.command.stdin(input);
        self
    }

    /// Gives the subject another standard output, which the lab then does not read:
    /// [`Running::line`] returns `None`.
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

    /// Runs the subject under the witness: [`Running::record`] tells what it did.
    ///
    /// Where ptrace(2) is forbidden, [`Launch::start`] fails with the kind `Unsupported` and a
    /// sentence that names the setting: see [`crate::missing`].
    #[must_use]
    pub fn witnessed(mut self) -> Self {
        self.witnessed = true;
        self
    }

    /// Lets the witness change what a call is answered. Where more than one lie is due, the first one added
    /// is told.
    #[must_use]
    pub fn lie(mut self, lie: Lie) -> Self {
        self.lies.push(lie);
        self.witnessed()
    }

    /// Lets somebody else see how the subject stands.
    #[must_use]
    pub fn seen_by(mut self, sights: &Sights) -> Self {
        self.seen_by = Some(sights.clone());
        self
    }

    /// Lets the kernel refuse the subject what would hurt those who run it: signals to others, tracing, and more
    /// processes, addresses, processor time or bytes in a file than an exercise needs.
    #[must_use]
    pub fn restrained(mut self) -> Self {
        self.restrained = true;
        self
    }

    /// Gives the subject a pipe with this as standard input, instead of one that is empty.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.command.stdin(Stdio::piped());
        self.input = Some(input.into());
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

    /// Starts the program. It is killed when the returned [`Running`] is dropped, and also when the
    /// thread that called this ends, however it ends.
    ///
    /// # Errors
    ///
    /// What fork(2) and execve(2) say, with the program's path.
    pub fn start(self) -> io::Result<Running> {
        let Self {
            mut command,
            input,
            descriptors,
            may_bind_low_ports,
            network,
            witnessed,
            lies,
            seen_by,
            restrained,
        } = self;
        let path = command.get_program().to_owned();
        let network = network.as_ref().map(Network::prepare).transpose()?;
        let (network, handed_over) = network.unzip();
        let witness =
            witnessed.then(|| Waiting::start(lies)).transpose().map_err(limits::explain_start)?;

        let mut all: Vec<Box<dyn Preparation>> = vec![Box::new(DefaultSignals)];
        // Before the descriptors run out: it opens a file.
        if restrained {
            all.push(Box::new(Restraint::now()));
        }
        if let Some((soft, hard)) = descriptors {
            all.push(Box::new(Descriptors { soft, hard }));
        }
        all.push(Box::new(ForgetDescriptors));
        if !may_bind_low_ports {
            all.push(Box::new(WithoutLowPorts));
        }
        if let Some(network) = network {
            all.push(Box::new(network));
        }
        all.push(Box::new(EndWithUs { us: nix::unistd::getpid() }));
        if let Some(witness) = &witness {
            all.push(Box::new(witness.for_the_child()));
        }
        let preparations = Preparations::new(all)?;
        // SAFETY: between fork and exec the closure makes only system calls, and allocates nothing:
        // each preparation promises it.
        unsafe { command.pre_exec(preparations.for_the_child()) };
        let mut child = command.spawn().map_err(|error| {
            let error = preparations
                .explain(error, |error| limits::explain_start(no_interpreter(error, &path)));
            let text = format!("{}: {error}", path.display());
            match Need::of(&error) {
                Some(need) => need.missing(text),
                None => io::Error::new(error.kind(), text),
            }
        })?;

        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let printed = stdout.map(Lines::of).transpose();
        let printed = printed.and_then(|stdout| Ok((stdout, stderr.map(Text::of).transpose()?)));
        let (lines, text) = printed.as_ref().map_or((None, None), |(lines, text)| {
            (lines.as_ref().map(Lines::cut), text.as_ref().map(Text::gathered))
        });
        let witness = witness.map(Waiting::begun);
        let known = Known {
            program: path.into(),
            pid: child.id(),
            stderr: text,
            stdout_cut: lines,
            witness: witness.as_ref().map(Witness::shared),
            told_to_end: AtomicBool::new(false),
            serves: AtomicBool::new(false),
            hold: Mutex::new(Hold::Held),
            at_last: Mutex::new(None),
        };
        let known = Arc::new(known);
        let inside = Inside::default();
        let mut running = Running { child, witness, stdout: None, stderr: None, inside, known };
        // An error drops the subject, and so ends it.
        (running.stdout, running.stderr) = printed?;
        if let (Some(stdin), Some(input)) = (running.child.stdin.take(), input) {
            feed(stdin, input)?;
        }
        if let Some(handed_over) = handed_over {
            running.inside = handed_over.take()?;
        }
        if let Some(sights) = seen_by {
            sights.add(&running.known);
        }
        Ok(running)
    }

    /// Starts a server on a port of the kernel's choice and waits for its first line.
    ///
    /// # Errors
    ///
    /// As [`Launch::start`]; or a sentence with what the server printed instead of its address.
    pub fn server(self) -> io::Result<Server> {
        self.arg("--listen").arg("127.0.0.1:0").start().and_then(Server::new)
    }
}

/// Can this be started, and watched by the witness? What names nothing, or nothing that can be executed,
/// is told better here than by execve(2) later.
///
/// # Errors
///
/// A sentence that says why not, with the path.
pub fn startable(program: &Path) -> io::Result<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", program.display()));
    let wrong = |why: &str| Err(named(io::Error::other(why)));
    let metadata = fs::metadata(program).map_err(named)?;
    if metadata.is_dir() {
        return wrong("is a folder, not a program");
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return wrong("is not executable: `chmod +x` makes a script so, cargo builds a program");
    }
    let mut beginning = [0; 5];
    let read = File::open(program).and_then(|mut file| file.read_exact(&mut beginning));
    // elf(5): the fifth byte is the class. A file that is shorter, or may not be read, is no ELF.
    if read.is_ok() && beginning == *b"\x7fELF\x01" {
        return wrong("is a 32-bit program: the witness reads the calls of 64-bit ones only");
    }
    Ok(())
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

/// Gives a command the default answers to the signals by which a terminal or a person ends a program,
/// whatever this process has inherited or blocks itself: a shell starts with SIGINT ignored what it runs with `&`, and a
/// program that ignores it cannot be interrupted. [`Launch`] does so by itself.
pub fn with_default_signals(command: &mut Command) -> &mut Command {
    // SAFETY: between fork and exec the closure makes only system calls, and allocates nothing.
    unsafe { command.pre_exec(|| DefaultSignals.in_child()) }
}

/// Lets a command's process end with the thread that starts it, however that ends: prctl(2), `PR_SET_PDEATHSIG`.
/// [`Launch`] does so by itself.
pub fn ended_with_us(command: &mut Command) -> &mut Command {
    let with_us = EndWithUs { us: nix::unistd::getpid() };
    // SAFETY: as in `with_default_signals`.
    unsafe { command.pre_exec(move || with_us.in_child()) }
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
