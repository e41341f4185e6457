//! What `claims` does: it tries what web pages claim on this kernel, and shows what was seen.

mod json;
mod one;
mod table;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use cli::exit::EarlyExit;
use cli::meant::nearest;
use cli::screen::{COLUMNS, Screen};
use lab::limits;
use nix::sys::signal::{SigSet, Signal, raise};

use crate::register::{self, Claim, LAST, Register};
use crate::runner::{self, Ruling, Trial, TrialRunner};
use crate::seen::Observation;

/// The kernel on which the book's experiments were first made.
const BOOK_KERNEL: &str = "Linux 6.18";

/// For the tests of this tool: a program that reports in the place of the experiments.
const STAND_IN: &str = "READINESS_CLAIM";

/// Try what web pages claim about select, poll, epoll and connect, on this kernel
#[derive(Debug, Parser)]
#[command(name = "cargo tutor claims", bin_name = "cargo tutor claims", max_term_width = COLUMNS)]
pub struct ClaimsOptions {
    /// Tell of these claims only: C80, c80 or 80
    #[arg(value_name = "CLAIM")]
    claims: Vec<String>,
    /// Print all that was seen as JSON
    #[arg(long)]
    json: bool,
    /// Run one experiment in this process and report it as data: what a trial starts
    #[arg(long, value_name = "NAME", hide = true, exclusive = true)]
    pub experiment: Option<String>,
}

/// What was tried, ready to be shown.
struct Verdicts<'a> {
    kernel: String,
    register: &'a Register,
    chosen: Vec<&'a Claim>,
    /// By the experiment's name.
    trials: BTreeMap<String, Trial>,
}

impl Verdicts<'_> {
    fn trial(&self, claim: &Claim) -> Option<&Trial> {
        self.trials.get(claim.experiment.as_deref()?)
    }

    /// For how many of the chosen claims this is true of the ruling.
    fn count(&self, is: impl Fn(&Ruling) -> bool) -> usize {
        let trials = self.chosen.iter().filter_map(|claim| self.trial(claim));
        trials.filter(|trial| is(&trial.ruling)).count()
    }
}

/// Tries the chosen claims, or all, and shows what was seen. A kernel that differs from the book is
/// no failure; an experiment that broke is one.
///
/// # Errors
///
/// That there is no such claim; what reading the register and starting experiments say; that an
/// experiment broke, which is then told already.
pub fn run(options: &ClaimsOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let register = register::read().map_err(io::Error::other)?;
    let chosen = chosen(&register, &options.claims)?;
    let trials = try_all(&runner::experiments(chosen.iter().copied()))?;
    let trials = trials.into_iter().map(|trial| (trial.experiment.clone(), trial)).collect();
    let verdicts = Verdicts { kernel: kernel(), register: &register, chosen, trials };
    if options.json {
        screen.line(json::of(&verdicts)?)?;
    } else if options.claims.is_empty() {
        table::show(&verdicts, screen)?;
    } else {
        one::show(&verdicts, screen)?;
    }
    let broke = verdicts.count(|ruling| matches!(ruling, Ruling::Broke(_)));
    if broke == 0 { Ok(()) } else { Err(EarlyExit::Told) }
}

/// The claims that were asked for, in the order in which they were; all without any.
fn chosen<'a>(register: &'a Register, typed: &[String]) -> Result<Vec<&'a Claim>, EarlyExit> {
    if typed.is_empty() {
        return Ok(register.claims.iter().collect());
    }
    let mut chosen: Vec<&Claim> = Vec::new();
    for typed in typed {
        let found = register::number(typed).and_then(|number| register.claim(number));
        let claim = found.ok_or_else(|| unknown(register, typed))?;
        if !chosen.iter().any(|other| other.id == claim.id) {
            chosen.push(claim);
        }
    }
    Ok(chosen)
}

fn unknown(register: &Register, typed: &str) -> EarlyExit {
    let meant = if let Some(number) = register::number(typed) {
        Some(register::id(number.clamp(1, LAST)))
    } else {
        let ids = register.claims.iter().map(|claim| claim.id.to_lowercase());
        let ids: Vec<String> = ids.collect();
        // A word without a digit names no claim, and none is like it.
        let digits = typed.chars().any(|letter| letter.is_ascii_digit());
        let like = digits.then(|| nearest(typed, ids.iter().map(String::as_str))).flatten();
        like.map(str::to_uppercase)
    };
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
    let last = register::id(LAST);
    EarlyExit::Arguments(format!(
        "there is no claim {typed:?}{meant}\nthe claims are C01 to {last}; `cargo tutor claims` lists them"
    ))
}

/// Runs experiments with this program itself, and says on standard error how far it is.
fn try_all(names: &[&str]) -> io::Result<Vec<Trial>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let program = std::env::var_os(STAND_IN).map(PathBuf::from);
    let program = program.map_or_else(std::env::current_exe, Ok)?;
    let runner = Arc::new(TrialRunner::with_program(program));
    end_on_a_signal(&runner)?;
    let all = names.len();
    let terminal = io::stderr().is_terminal();
    if all > 1 {
        let (at_once, bound) = (runner::AT_ONCE, runner::BOUND);
        let _ = writeln!(
            io::stderr(),
            "trying {all} experiments on {}, {at_once} at a time, each within {bound:?}",
            kernel()
        );
    }
    let trials = runner.all(names, |trial, done| {
        let mut err = io::stderr();
        if terminal {
            let _ = write!(err, "\r\x1b[K{done} of {all}: {}", trial.experiment);
        } else if all > 20 && done % (all / 4) == 0 {
            let _ = writeln!(err, "{done} of {all}");
        }
        let _ = err.flush();
    });
    if terminal {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    Ok(trials)
}

/// Ctrl-C reaches this process and not the experiments, which are process groups of their own: end
/// them, then end as the signal would have ended us.
fn end_on_a_signal(runner: &Arc<TrialRunner>) -> io::Result<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    // Blocked before any thread is made, and so in all of them. std gives programs it starts an
    // empty mask.
    signals.thread_block()?;
    let runner = Arc::clone(runner);
    limits::thread(move || {
        if let Ok(signal) = signals.wait() {
            runner.stop();
            let _ = signals.thread_unblock();
            let _ = raise(signal);
        }
    })?;
    Ok(())
}

/// `Linux 6.18.0`.
fn kernel() -> String {
    format!("Linux {}", lab::kernel::release())
}

/// What a person may do about a kernel that differs.
fn report_it(ids: &[&str], kernel: &str, screen: &mut Screen) -> io::Result<()> {
    screen.paragraph(format_args!(
        "{kernel} does not do here what the book says, which was written on {BOOK_KERNEL}. It may be the \
         kernel; where times are compared, it may be that the machine was busy or is slow. If it comes \
         again, please report it as an issue of the course, with the output of:"
    ))?;
    // Many at once may have one cause: all of it tells more.
    let ids = if ids.len() > 8 { String::new() } else { format!(" {}", ids.join(" ")) };
    screen.line(format_args!("  cargo tutor claims --json{ids}"))
}

/// What was done, what was seen, and what the book says instead if it differs.
fn observed(one: &Observation) -> String {
    match &one.book {
        None => format!("{} \u{2192} {}", one.did, one.saw),
        Some(book) => format!("{} \u{2192} {}; the book says {book}", one.did, one.saw),
    }
}
