//! Would an experiment notice? Each one of the register that a lie can meet is run again under a lying kernel,
//! which answers as one would of which the claim's opposite is true; then it must differ from what the book says.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use claims::register::{self, Claim, Register};
use claims::report::{Ended, ExperimentReport};
use claims::runner::{self, in_parallel};
use claims::seen::Observation;
use cli::exit::EarlyExit;
use cli::programs::Build;
use cli::screen::{COLUMNS, Screen};
use lab::need::Need;
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
    /// It differs from the book: this is all that does, one thing at least.
    Differs(Vec<Observation>),
    /// It passes: whatever the kernel had answered, it would have said the same.
    Passes,
    /// No call was answered with a lie.
    NotTold,
    /// This environment forbids it: what is missing, and a sentence with the setting.
    NotHere(Option<Need>, String),
    /// It could not be carried out.
    Broke(String),
}

/// An experiment, and the lies that it is told.
struct Told<'a> {
    claim: &'a Claim,
    experiment: &'a str,
    lies: &'a [Lie],
}

/// Runs the experiments under the lies that the register has for them.
///
/// # Errors
///
/// That a claim is unknown, or has no experiment to which a lie could be told; that an experiment does not
/// differ, which is then told already.
pub fn run(options: &RefuteOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let register = register::read().map_err(io::Error::other)?;
    let required = Need::required().map_err(io::Error::other)?;
    let chosen = chosen(&register, &options.claims)?;
    let by_name = !options.claims.is_empty();
    let (mut told, mut others) = (Vec::new(), Vec::new());
    for claim in &chosen {
        let lies = if options.lie.is_empty() { &claim.lie } else { &options.lie };
        match &claim.experiment {
            Some(experiment) if !lies.is_empty() => told.push(Told { claim, experiment, lies }),
            None if !options.lie.is_empty() => {
                let words = format!("{} has no experiment to which a lie could be told", claim.id);
                return Err(EarlyExit::Arguments(words));
            }
            _ => others.push(*claim),
        }
    }
    if by_name {
        for claim in &others {
            let why = claim.no_lie.as_ref().or(claim.no_experiment.as_ref());
            let why = why.map_or("", String::as_str);
            screen.paragraph(format_args!("{} is told no lie: {why}", claim.id))?;
        }
    }
    let program = Build::programs(["claims", "course"]).run()?.path("claims")?;
    let ended = in_parallel(
        &told,
        |one| refuted(&program, one.experiment, one.lies),
        |_, done| progress(&format!("{done} of {}", told.len())),
    );
    progress("");
    let (mut wrong, mut not_here) = (0, 0);
    for (Told { claim, experiment, lies }, refuted) in told.iter().zip(&ended) {
        let forbidden = match refuted {
            Refuted::NotHere(need, _) => need.is_none_or(|need| !required.contains(&need)),
            _ => false,
        };
        let differs = matches!(refuted, Refuted::Differs(_));
        not_here += usize::from(forbidden);
        wrong += usize::from(!differs && !forbidden);
        if !differs || by_name {
            let lies: Vec<String> = lies.iter().map(ToString::to_string).collect();
            screen.paragraph(format_args!(
                "{} {experiment}, told {}:",
                claim.id,
                lies.join(" ")
            ))?;
            for line in words(refuted) {
                screen.wrapped("  ", "    ", &line, COLUMNS)?;
            }
        }
    }
    let count = told.len();
    let without = others.iter().filter(|claim| claim.experiment.is_none()).count();
    screen.paragraph(format_args!(
        "{} of {count} experiments under a lie differ from the book",
        count - wrong - not_here
    ))?;
    for (number, what) in [
        (not_here, "could not be tried here"),
        (others.len() - without, "cannot be met by a lie: the register says why"),
        (without, "have no experiment"),
    ] {
        if number > 0 {
            screen.line(format_args!("  {number} {what}"))?;
        }
    }
    if wrong == 0 { Ok(()) } else { Err(EarlyExit::Told) }
}

fn words(refuted: &Refuted) -> Vec<String> {
    match refuted {
        Refuted::Differs(all) => {
            let line = |Observation { did, saw, book, .. }: &Observation| {
                format!(
                    "{did} \u{2192} {saw}; the book says {}",
                    book.as_deref().unwrap_or_default()
                )
            };
            all.iter().map(line).collect()
        }
        Refuted::Passes => {
            vec!["it passes all the same: it would not notice the opposite".to_owned()]
        }
        Refuted::NotTold => vec!["it makes no such call: no lie was told".to_owned()],
        Refuted::NotHere(_, why) => vec![format!("not possible here: {why}")],
        Refuted::Broke(why) => vec![format!("it could not be carried out: {why}")],
    }
}

/// What is being done, on a terminal only; the next words take its place.
fn progress(words: &str) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K{words}");
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

/// How long an experiment may take under a lie: each of its calls stops twice for the witness.
const BOUND: Duration = runner::BOUND.saturating_mul(6);

/// Runs one experiment of the program `claims` under these lies.
#[must_use]
pub fn refuted(program: &Path, experiment: &str, lies: &[Lie]) -> Refuted {
    let launch = Launch::new(program).arg("--experiment").arg(experiment);
    let launch = lies.iter().cloned().fold(launch, Launch::lie);
    let ran = match launch.start().and_then(|subject| Ran::within(BOUND, subject)) {
        Ok(ran) => ran,
        Err(error) => {
            return match Need::of(&error) {
                Some(need) => Refuted::NotHere(Some(need), error.to_string()),
                None => Refuted::Broke(error.to_string()),
            };
        }
    };
    let Ok(ExperimentReport { seen, ended, need }) = serde_json::from_slice(&ran.stdout) else {
        return Refuted::Broke(format!("it ended without a report: {ran}"));
    };
    if let Ended::Unsupported(why) = ended {
        return Refuted::NotHere(need, why);
    }
    if ran.injected == 0 {
        return Refuted::NotTold;
    }
    let differs: Vec<_> = seen.observations.into_iter().filter(|one| one.book.is_some()).collect();
    match ended {
        _ if !differs.is_empty() => Refuted::Differs(differs),
        Ended::Broke(why) => Refuted::Broke(why),
        _ => Refuted::Passes,
    }
}
