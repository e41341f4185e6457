//! One claim, told whole.

use std::io;

use cli::screen::{COLUMNS, Screen};

use super::table::look;
use super::{Verdicts, observed, report_it};
use crate::register::{Claim, Register};
use crate::runner::{Ruling, Trial};

/// How far the text stands from the left.
const INDENT: usize = 13;

pub(super) fn show(verdicts: &Verdicts<'_>, screen: &mut Screen) -> io::Result<()> {
    for (at, claim) in verdicts.chosen.iter().enumerate() {
        if at > 0 {
            screen.line("")?;
        }
        show_claim(verdicts.register, claim, screen)?;
        screen.line("")?;
        if let Some(trial) = verdicts.trial(claim) {
            show_trial(claim, trial, &verdicts.kernel, screen)?;
        } else {
            let why = claim.no_experiment.as_deref().unwrap_or_default();
            screen.wrapped("no experiment: ", "  ", why, COLUMNS)?;
        }
    }
    Ok(())
}

fn show_claim(register: &Register, claim: &Claim, screen: &mut Screen) -> io::Result<()> {
    let style = look(claim.verdict).bold();
    screen.line(format_args!("{style}{}: {}{style:#}", claim.id, claim.verdict))?;
    field(screen, "claim", &claim.says)?;
    field(screen, "said by", &register.who(claim))?;
    field(screen, "correct", &claim.correct)?;
    field(screen, "source", &claim.source)?;
    if let Some(refuted_by) = &claim.refuted_by {
        field(screen, "refuted by", refuted_by)?;
    }
    match &claim.page {
        Some(page) => field(screen, "read", &format!("book/src/{page}, or: cargo tutor book")),
        None => Ok(()),
    }
}

fn show_trial(claim: &Claim, trial: &Trial, kernel: &str, screen: &mut Screen) -> io::Result<()> {
    let took = lab::shown::duration(trial.took);
    screen.heading(format_args!("{} on {kernel}, {took}", trial.experiment))?;
    for one in &trial.seen.observations {
        screen.wrapped("  ", "      ", &observed(one), COLUMNS)?;
    }
    match &trial.ruling {
        Ruling::AsTheBookSays => screen.line("as the book says"),
        Ruling::Differs => report_it(&[&claim.id], kernel, screen),
        Ruling::NotHere(why) => screen.wrapped("it could not be tried here: ", "  ", why, COLUMNS),
        Ruling::Broke(why) => screen.wrapped("the experiment broke: ", "  ", why, COLUMNS),
    }
}

fn field(screen: &mut Screen, name: &str, text: &str) -> io::Result<()> {
    screen.wrapped(&format!("  {name:<11}"), &" ".repeat(INDENT), text, COLUMNS)
}
