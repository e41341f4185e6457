//! What it costs a server to run under the lab's witness.

use std::io::{self, Write};
use std::time::Duration;

use lab::subject::Launch;
use lab::witness::sentences::Mark;
use serde::Serialize;

use crate::cores::{Cores, pin_to};
use crate::load::{self, Load, Messages};
use crate::report::Spread;
use crate::trial::{OF_GENERATOR, Times, WARM_UP};

/// One server under one load, without the witness and with it.
#[derive(Debug, Serialize)]
pub struct Cost {
    /// The server's name.
    pub server: &'static str,
    /// How many clients asked.
    pub clients: usize,
    /// Right replies a second without the witness.
    pub without: Spread,
    /// Right replies a second with it.
    pub with: Spread,
    /// System calls for one message, as the witness counted them.
    pub calls: Spread,
    /// How many microseconds of processor time each call cost more under the witness: the server's
    /// and the witness's own.
    pub microseconds: Spread,
    /// The part of the time in which the server or the generator had to wait for other programs.
    pub disturbed: Spread,
}

/// What one slice came to.
struct Slice {
    rate: f64,
    /// System calls for one message; 0 without the witness.
    calls: f64,
    /// Microseconds of processor time for one message, of the server and of the witness.
    cost: f64,
    disturbed: f64,
}

/// Measures in turns, so that what disturbs the machine hits both.
pub fn measure(
    server: &'static str,
    path: &std::path::Path,
    cores: Cores,
    messages: &Messages,
    (clients, rounds, seconds): (usize, u32, f64),
) -> io::Result<Cost> {
    let mut pairs = Vec::new();
    for _ in 0..rounds {
        let start = |witnessed| {
            let launch = Launch::new(path);
            let launch = if witnessed { launch.witnessed() } else { launch };
            slice(launch, cores, messages, clients, seconds)
        };
        pairs.push((start(false)?, start(true)?));
    }
    Ok(Cost {
        server,
        clients,
        without: Spread::of(pairs.iter().map(|(without, _)| without.rate)),
        with: Spread::of(pairs.iter().map(|(_, with)| with.rate)),
        calls: Spread::of(pairs.iter().map(|(_, with)| with.calls)),
        microseconds: Spread::of(
            pairs.iter().map(|(without, with)| (with.cost - without.cost) / with.calls),
        ),
        disturbed: Spread::of(
            pairs.iter().flat_map(|(without, with)| [without.disturbed, with.disturbed]),
        ),
    })
}

fn slice(
    launch: Launch,
    cores: Cores,
    messages: &Messages,
    clients: usize,
    seconds: f64,
) -> io::Result<Slice> {
    // The server inherits the core, and so does the witness's thread: it works while the server is
    // stopped, never beside it.
    pin_to(cores.server)?;
    let server = launch.server();
    pin_to(cores.generator)?;
    let server = server?;
    let clients = load::connect(server.address(), messages, clients)?;
    let mut load = Load::start(clients, !cores.shared())?;
    load.run(WARM_UP)?;
    let of_server = format!("/proc/{}/schedstat", server.process().0);
    let times = || -> io::Result<_> {
        Ok((Times::of(&of_server)?, Times::of(OF_GENERATOR)?, of_the_others()?))
    };
    let (before, then) = (Mark::now(), times()?);
    let (replies, elapsed) = load.run(Duration::from_secs_f64(seconds))?;
    let now = times()?;
    let record = server.record().unwrap_or_default().during(before, Mark::now());
    let calls = record
        .counts()
        .map_err(|cut| io::Error::other(format!("{}; measure for fewer --seconds", cut.seen)))?;
    #[allow(clippy::cast_precision_loss)] // Far fewer than 2^52 of both.
    let (replies, calls) = (replies.max(1) as f64, calls.all() as f64);
    let (server, generator) = (now.0.since(then.0), now.1.since(then.1));
    let elapsed = elapsed.as_secs_f64();
    Ok(Slice {
        rate: replies / elapsed,
        calls: calls / replies,
        cost: (server.ran + now.2 - then.2) * 1e6 / replies,
        disturbed: (server.waited + generator.waited) / elapsed,
    })
}

/// The processor time so far, in seconds, of this process's threads but the generator: the witness
/// is one, those that read the server's output sleep.
fn of_the_others() -> io::Result<f64> {
    let mut all = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        all += Times::of(&task?.path().join("schedstat").display().to_string())?.ran;
    }
    Ok(all - Times::of(OF_GENERATOR)?.ran)
}

/// Prints the table.
pub fn print(conditions: &[String], costs: &[Cost], out: &mut impl Write) -> io::Result<()> {
    for condition in conditions {
        writeln!(out, "{condition}")?;
    }
    writeln!(
        out,
        "\n{:<17} {:>7} {:>9} {:>9} {:>7} {:>9} {:>18} {:>9}",
        "messages a second",
        "clients",
        "without",
        "with",
        "slower",
        "calls/msg",
        "us more for a call",
        "disturbed"
    )?;
    for cost in costs {
        let Cost { server, clients, without, with, calls, microseconds, disturbed } = cost;
        writeln!(
            out,
            "{server:<17} {clients:>7} {:>9.0} {:>9.0} {:>6.1}x {:>9.2} {:>18.1} {:>8.0}%",
            without.median,
            with.median,
            without.median / with.median,
            calls.median,
            microseconds.median,
            disturbed.median * 100.0
        )?;
    }
    Ok(())
}
