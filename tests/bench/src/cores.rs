//! One core for the server and one for the load generator: sched_setaffinity(2).

use std::io;
use std::str::FromStr;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The core of the servers and the core of the load generator. They are the same on a machine with
/// only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    /// Where the server runs.
    pub server: usize,
    /// Where the load generator runs.
    pub generator: usize,
}

impl Cores {
    /// The first two cores that this process may use, or its only one twice.
    pub fn choose() -> io::Result<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let mut cores = (0..CpuSet::count()).filter(|&core| allowed.is_set(core) == Ok(true));
        let server = cores.next().ok_or_else(|| io::Error::other("no core to run on"))?;
        Ok(Self { server, generator: cores.next().unwrap_or(server) })
    }

    /// Do server and generator share one core?
    pub fn shared(self) -> bool {
        self.server == self.generator
    }
}

impl FromStr for Cores {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let cores = text.split_once(',').and_then(|(server, generator)| {
            Some(Self { server: server.parse().ok()?, generator: generator.parse().ok()? })
        });
        cores.ok_or("write the server's core and the generator's: 0,1")
    }
}

/// Lets the calling thread, and the programs that it will start, run on `core` only.
pub fn pin_to(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &set).map_err(|errno| {
        io::Error::other(format!(
            "cannot run on core {core} ({errno}): name two that this machine has with --cores"
        ))
    })
}
