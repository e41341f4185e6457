//! Measures the course's servers beside plain C loops, mio and tokio: see README.md.

mod cores;
mod count;
mod load;
mod report;
mod servers;
mod trial;
mod witness;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::cores::{Cores, pin_to};
use crate::load::Messages;
use crate::report::{Calls, Report, Resting, Section};
use crate::servers::{ALL, Candidate};
use crate::trial::Slice;

/// Measures the course's servers beside plain C loops, mio and tokio
#[derive(Parser)]
struct Arguments {
    /// How many rounds; in each, every server gets one slice under each load
    #[arg(long, value_name = "N", default_value_t = 7)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long a slice is measured
    #[arg(long, value_name = "S", default_value_t = 1.5, value_parser = seconds)]
    seconds: f64,
    /// Only these servers, with commas between them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(ALL.map(|server| server.name)))]
    only: Vec<String>,
    /// How many clients are busy
    #[arg(long, value_name = "N", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
    clients: u16,
    /// How many connections the busy ones are among in the second load; 0 leaves that load out
    #[arg(long, value_name = "N", default_value_t = 9000)]
    idle: usize,
    /// How many clients rest while resident memory is measured; 0 leaves that out
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    rest: usize,
    /// Bytes in a message
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=16_384))]
    size: u16,
    /// The server's core and the generator's [default: the first two that may be used]
    #[arg(long, value_name = "A,B")]
    cores: Option<Cores>,
    /// Measure instead what it costs a server to run under the witness
    #[arg(long)]
    witness: bool,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, &'static str> {
    let seconds = text.parse().ok().filter(|seconds| (0.05..=3600.0).contains(seconds));
    seconds.ok_or("write seconds from 0.05 to 3600")
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let print = |report: &Report| -> io::Result<()> {
        let mut out = io::stdout().lock();
        if arguments.json {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)?;
        } else {
            report.print(&mut out)?;
        }
        out.flush()
    };
    let done = if arguments.witness {
        measure_witness(&arguments)
    } else {
        measure(&arguments).and_then(|report| print(&report))
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Progress and errors. A closed standard error does not disturb the measurement.
fn tell(what: std::fmt::Arguments) {
    let _ = io::stderr().write_fmt(what);
}

fn measure(arguments: &Arguments) -> io::Result<Report> {
    let chosen = |server: &Candidate| {
        arguments.only.is_empty() || arguments.only.iter().any(|name| name == server.name)
    };
    let servers: Vec<Candidate> = ALL.into_iter().filter(chosen).collect();
    let mut bench = Bench::prepare(arguments, &servers)?;
    let loads = bench.loads(arguments);
    let sections = bench.rounds(&servers, &loads, arguments)?;
    let calls = bench.calls(&servers)?;
    let resting_clients = bench.within_limit(arguments.rest);
    let resting = bench.resting(&servers, resting_clients)?;
    Ok(Report { conditions: bench.conditions, sections, calls, resting_clients, resting })
}

/// What the witness costs: the course's servers only, or those that `--only` names.
fn measure_witness(arguments: &Arguments) -> io::Result<()> {
    let chosen = |server: &Candidate| match arguments.only.as_slice() {
        [] => server.name == "epoll-lt-server",
        only => only.iter().any(|name| name == server.name),
    };
    let servers: Vec<Candidate> = ALL.into_iter().filter(chosen).collect();
    let bench = Bench::prepare(arguments, &servers)?;
    let mut costs = Vec::new();
    for server in &servers {
        for clients in [1, usize::from(arguments.clients)] {
            tell(format_args!(
                "{}, {clients} clients, without and with the witness\n",
                server.name
            ));
            let path = &bench.paths[server.name];
            let extent = (clients, arguments.rounds, arguments.seconds);
            let cost = witness::measure(server.name, path, bench.cores, &bench.messages, extent);
            costs.push(cost.map_err(|error| about(server, &error))?);
        }
    }
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &costs)?;
        writeln!(out)?;
    } else {
        witness::print(&bench.conditions, &costs, &mut out)?;
    }
    out.flush()
}

/// What all parts of the measurement need.
struct Bench {
    paths: HashMap<&'static str, PathBuf>,
    cores: Cores,
    messages: Messages,
    descriptors: usize,
    conditions: Vec<String>,
}

/// What the generator needs besides its clients, and the server too: streams, epoll, a listener.
const OTHER_DESCRIPTORS: usize = 50;

impl Bench {
    fn prepare(arguments: &Arguments, servers: &[Candidate]) -> io::Result<Self> {
        tell(format_args!("building {} servers\n", servers.len()));
        let paths = servers::build(servers)?;
        // Servers inherit it.
        let descriptors = usize::try_from(lab::subject::raise_own_descriptor_limit()?)
            .map_err(io::Error::other)?
            .saturating_sub(OTHER_DESCRIPTORS);
        let cores = arguments.cores.map_or_else(Cores::choose, Ok)?;
        pin_to(cores.generator)?;
        let Arguments { rounds, seconds, size, .. } = arguments;
        let mut conditions = vec![format!(
            "{rounds} rounds of {seconds} s a server; messages of {size} bytes, each reply compared"
        )];
        conditions.push(if cores.shared() {
            "ONE core for servers and generator: the speeds are not the servers' alone".to_owned()
        } else {
            format!("servers on core {}, generator on core {}", cores.server, cores.generator)
        });
        let messages = Messages::new(usize::from(*size));
        Ok(Self { paths, cores, messages, descriptors, conditions })
    }

    /// `wanted` clients, or as many as the descriptor limit allows, and then that is said.
    fn within_limit(&mut self, wanted: usize) -> usize {
        let possible = wanted.min(self.descriptors);
        if possible < wanted {
            self.conditions.push(format!(
                "{possible} clients instead of {wanted}: raise the hard limit of descriptors \
                 (`ulimit -Hn`)"
            ));
        }
        possible
    }

    /// The loads: how many busy clients and how many idle ones.
    fn loads(&mut self, arguments: &Arguments) -> Vec<(usize, usize)> {
        let busy = self.within_limit(arguments.clients.into());
        let all = self.within_limit(arguments.idle);
        let mut loads = vec![(busy, 0)];
        if all > busy {
            loads.push((busy, all - busy));
        }
        loads
    }

    /// Round-robin: what disturbs the machine for a while hits all servers, not one.
    fn rounds(
        &self,
        servers: &[Candidate],
        loads: &[(usize, usize)],
        arguments: &Arguments,
    ) -> io::Result<Vec<Section>> {
        let mut all: HashMap<(&'static str, usize), Vec<Slice>> = HashMap::new();
        for round in 0..arguments.rounds {
            for &(busy, idle) in loads {
                tell(format_args!(
                    "round {} of {}, {busy} busy of {}:",
                    round + 1,
                    arguments.rounds,
                    busy + idle
                ));
                let mut order: Vec<_> = for_load(servers, idle).collect();
                let places = order.len().max(1);
                order.rotate_left(round as usize % places);
                for server in order {
                    let slice = trial::slice(
                        &self.paths[server.name],
                        self.cores,
                        &self.messages,
                        (busy, idle),
                        arguments.seconds,
                    )
                    .map_err(|error| about(server, &error))?;
                    tell(format_args!(" {} {:.0}", server.name, slice.rate));
                    all.entry((server.name, idle)).or_default().push(slice);
                }
                tell(format_args!("\n"));
            }
        }
        let section = |&(busy, idle): &(usize, usize)| {
            let slices: Vec<_> = for_load(servers, idle)
                .filter_map(|server| Some((server.name, all.remove(&(server.name, idle))?)))
                .collect();
            Section::new(busy, idle, &slices)
        };
        Ok(loads.iter().map(section).collect())
    }

    fn calls(&self, servers: &[Candidate]) -> io::Result<Vec<Calls>> {
        tell(format_args!("counting system calls\n"));
        let count = |server: &Candidate| {
            let counted = trial::calls(&self.paths[server.name], self.cores, &self.messages);
            #[allow(clippy::cast_precision_loss)] // A few thousand at most.
            let per_message = counted
                .map(|calls| {
                    let each = |(name, count)| (name, count as f64 / f64::from(count::MESSAGES));
                    calls.into_iter().map(each).collect()
                })
                .map_err(|error| error.to_string());
            Ok(Calls { server: server.name, per_message })
        };
        servers.iter().map(count).collect()
    }

    fn resting(&self, servers: &[Candidate], count: usize) -> io::Result<Vec<Resting>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        tell(format_args!("measuring the memory of {count} clients at rest\n"));
        let measure = |server: &Candidate| {
            let path = &self.paths[server.name];
            let resident_bytes = trial::resting(path, self.cores, &self.messages, count)
                .map_err(|error| about(server, &error))?;
            Ok(Resting { server: server.name, resident_bytes })
        };
        servers.iter().filter(|server| server.many).map(measure).collect()
    }
}

/// Those of `servers` that can hold the idle clients too.
fn for_load(servers: &[Candidate], idle: usize) -> impl Iterator<Item = &Candidate> {
    servers.iter().filter(move |server| idle == 0 || server.many)
}

fn about(server: &Candidate, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", server.name))
}
