//! One claim with its story.

use std::io;

use claims::register::{Claim, Register};
use claims::runner::{Outcome, Trial};

use super::{Verdicts, observed, report_it};
use crate::trial::table::look;
use cli::screen::Screen;

/// How far the text stands from the left.
const INDENT: usize = 10;

/// How wide a line may be.
const COLUMNS: usize = 100;

pub fn show(verdicts: &Verdicts<'_>, screen: &mut Screen) -> io::Result<()> {
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
            lines(screen, "no experiment: ", "  ", why)?;
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
    match &claim.page {
        Some(page) => field(screen, "read", &format!("book/src/{page}, or: cargo tutor book")),
        None => Ok(()),
    }
}

fn show_trial(claim: &Claim, trial: &Trial, kernel: &str, screen: &mut Screen) -> io::Result<()> {
    let took = lab::shown::duration(trial.took);
    screen.heading(format_args!("{} on {kernel}, {took}", trial.experiment))?;
    for one in &trial.seen.observations {
        lines(screen, "  ", "      ", &observed(one))?;
    }
    match &trial.outcome {
        Outcome::AsTheBookSays => screen.line("as the book says"),
        Outcome::Differs => report_it(&[&claim.id], kernel, screen),
        Outcome::NotHere(why) => lines(screen, "it could not be tried here: ", "  ", why),
        Outcome::Broke(why) => lines(screen, "the experiment broke: ", "  ", why),
    }
}

fn field(screen: &mut Screen, name: &str, text: &str) -> io::Result<()> {
    lines(screen, &format!("  {name:<8}"), &" ".repeat(INDENT), text)
}

/// A text broken between words, with other indents for its first line and the rest.
fn lines(screen: &mut Screen, first: &str, rest: &str, text: &str) -> io::Result<()> {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            screen.line(&line)?;
            rest.clone_into(&mut line);
            empty = true;
        }
        line += if empty { "" } else { " " };
        line += word;
        empty = false;
    }
    screen.line(line)
}
