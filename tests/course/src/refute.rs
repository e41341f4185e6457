//! Would an experiment notice? Each one of the register is run again under a lying kernel, which answers as one would of
//! which the claim's opposite is true; then it must differ from what the book says.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use claims::register::{self, Claim, Register};
use claims::report::{Ended, ExperimentReport};
use claims::runner::{AT_ONCE, BOUND};
use claims::seen::Observation;
use cli::exit::EarlyExit;
use cli::programs::Build;
use cli::screen::{COLUMNS, Screen};
use lab::ran::Ran;
use lab::subject::Launch;
use lab::witness::lie::Lie;

/// What `cargo course refute` is told.
#[derive(Debug, clap::Args)]
pub struct RefuteOptions {
    /// Those of these claims only, each with what it sees: C80, c80 or 80
    #[arg(value_name = "CLAIM")]
    claims: Vec<String>,
    /// Tell the experiments this lie instead of the register's: poll=nothing, connect=EINTR:1
    #[arg(long, value_name = "CALL=ANSWER[:WHICH]", requires = "claims")]
    lie: Vec<Lie>,
}

/// What became of an experiment under a lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refuted {
    /// It differs from the book: this is the first thing that does.
    Differs(Observation),
    /// It passes: whatever the kernel had answered, it would have said the same.
    Passes,
    /// No call was answered with a lie.
    NotTold,
    /// It could not be carried out, or not here.
    Broke(String),
}

/// Runs the experiments under the lies that the register has for them.
///
/// # Errors
///
/// That a claim is unknown; that an experiment does not differ, which is then told already.
pub fn run(options: &RefuteOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let register = register::read().map_err(io::Error::other)?;
    let chosen = chosen(&register, &options.claims)?;
    let tried: Vec<(&Claim, &str, &[Lie])> = chosen
        .iter()
        .filter_map(|claim| {
            let lies = if options.lie.is_empty() { &claim.lie } else { &options.lie };
            let experiment = claim.experiment.as_deref()?;
            (!lies.is_empty()).then_some((*claim, experiment, &lies[..]))
        })
        .collect();
    let program = Build::programs(["claims", "course"]).run()?.path("claims")?;
    let ended = all(&program, &tried);
    let mut wrong = 0;
    for ((claim, experiment, lies), refuted) in tried.iter().zip(&ended) {
        let differs = matches!(refuted, Refuted::Differs(_));
        wrong += usize::from(!differs);
        if !differs || !options.claims.is_empty() {
            let lies: Vec<String> = lies.iter().map(ToString::to_string).collect();
            screen.paragraph(format!("{} {experiment}, told {}:", claim.id, lies.join(" ")))?;
            screen.wrapped("  ", "  ", &words(refuted), COLUMNS)?;
        }
    }
    let (count, others) = (tried.len(), chosen.len() - tried.len());
    screen.paragraph(format!(
        "{} of {count} experiments under a lie differ from the book; {others} claims have no lie",
        count - wrong
    ))?;
    if wrong == 0 { Ok(()) } else { Err(EarlyExit::Told) }
}

fn words(refuted: &Refuted) -> String {
    match refuted {
        Refuted::Differs(Observation { did, saw, book, .. }) => {
            let book = book.as_deref().unwrap_or_default();
            format!("{did} \u{2192} {saw}; the book says {book}")
        }
        Refuted::Passes => "it passes all the same: it would not notice the opposite".to_owned(),
        Refuted::NotTold => "it makes no such call: no lie was told".to_owned(),
        Refuted::Broke(why) => format!("it could not be carried out: {why}"),
    }
}

/// The claims that were asked for; all without any.
fn chosen<'a>(register: &'a Register, typed: &[String]) -> Result<Vec<&'a Claim>, EarlyExit> {
    if typed.is_empty() {
        return Ok(register.claims.iter().collect());
    }
    let found = typed.iter().map(|typed| {
        let claim = register::number(typed).and_then(|number| register.claim(number));
        claim.ok_or_else(|| EarlyExit::Arguments(format!("there is no claim {typed:?}")))
    });
    found.collect()
}

/// Several at a time; they mostly wait.
fn all(program: &Path, tried: &[(&Claim, &str, &[Lie])]) -> Vec<Refuted> {
    let (next, (sender, receiver)) = (AtomicUsize::new(0), mpsc::channel());
    let mut ended = vec![Refuted::NotTold; tried.len()];
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                while let Some((at, (_, experiment, lies))) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    tried.get(at).map(|one| (at, one))
                } {
                    let refuted = one(program, experiment, lies);
                    if sender.send((at, refuted)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (done, (at, refuted)) in receiver.into_iter().enumerate() {
            ended[at] = refuted;
            if io::stderr().is_terminal() {
                let (_, experiment, _) = tried[at];
                let _ =
                    write!(io::stderr(), "\r\x1b[K{} of {}: {experiment}", done + 1, tried.len());
            }
        }
    });
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    ended
}

/// Runs one experiment of the program `claims` under these lies.
#[must_use]
pub fn one(program: &Path, experiment: &str, lies: &[Lie]) -> Refuted {
    let launch = Launch::new(program).arg("--experiment").arg(experiment);
    let launch = lies.iter().cloned().fold(launch, Launch::lie);
    let ran = match launch.start().and_then(|subject| Ran::within(BOUND, subject)) {
        Ok(ran) => ran,
        Err(error) => return Refuted::Broke(error.to_string()),
    };
    let Ok(ExperimentReport { seen, ended, .. }) = serde_json::from_slice(&ran.stdout) else {
        return Refuted::Broke(format!("it ended without a report: {ran}"));
    };
    let differs = seen.observations.into_iter().find(|one| one.book.is_some());
    match (ran.injected, differs, ended) {
        (0, ..) => Refuted::NotTold,
        (_, Some(observation), _) => Refuted::Differs(observation),
        (_, None, Ended::Done) => Refuted::Passes,
        (_, None, Ended::Unsupported(why) | Ended::Broke(why)) => Refuted::Broke(why),
    }
}
