//! All claims: verdicts, with what was observed, by section.

use std::io;

use anstyle::{AnsiColor, Style};
use cli::screen::{COLUMNS, Screen, wrapped};

use super::{Verdicts, observed, report_it};
use crate::register::{Claim, SECTIONS, Verdict};
use crate::runner::{Ruling, Trial};

/// How far a claim's sentence stands from the left.
const INDENT: usize = 18;

/// How far what was seen stands from the left.
const SEEN_INDENT: &str = "       ";

pub(super) fn show(verdicts: &Verdicts<'_>, screen: &mut Screen) -> io::Result<()> {
    for section in SECTIONS {
        screen.line("")?;
        screen.heading(section.title)?;
        for claim in section.claims(verdicts.register) {
            show_claim(claim, verdicts.trial(claim), screen)?;
        }
    }
    screen.line("")?;
    summary(verdicts, screen)
}

fn show_claim(claim: &Claim, trial: Option<&Trial>, screen: &mut Screen) -> io::Result<()> {
    let style = look(claim.verdict);
    let says = cut(&claim.says, COLUMNS - INDENT);
    screen.line(format_args!("  {:<5}{style}{:<11}{style:#}{says}", claim.id, claim.verdict))?;
    let dim = Style::new().dimmed();
    let loud = AnsiColor::Yellow.on_default().bold();
    let (style, text) = match trial {
        None => {
            let why = claim.no_experiment.as_deref().unwrap_or("no experiment");
            (dim, format!("not tried: {why}"))
        }
        Some(trial) => match &trial.ruling {
            Ruling::AsTheBookSays => (dim, telling(claim, trial)),
            Ruling::Differs => (loud, format!("DIFFERS: {}", telling(claim, trial))),
            Ruling::NotHere(why) => (loud, format!("not here: {why}")),
            Ruling::Broke(why) => (loud, format!("BROKE: {why}")),
        },
    };
    wrapped(SEEN_INDENT, SEEN_INDENT, &text, COLUMNS)
        .into_iter()
        .try_for_each(|line| screen.line(format_args!("{style}{line}{style:#}")))
}

fn telling(claim: &Claim, trial: &Trial) -> String {
    let one = trial.seen.telling(claim.observation.as_deref());
    one.map_or_else(|| "nothing was seen".to_owned(), observed)
}

fn summary(verdicts: &Verdicts<'_>, screen: &mut Screen) -> io::Result<()> {
    let chosen = &verdicts.chosen;
    let count = |verdict| chosen.iter().filter(|claim| claim.verdict == verdict).count();
    let counts = Verdict::ALL.map(|verdict| format!("{} {verdict}", count(verdict)));
    screen.heading(format_args!("{} claims: {}", chosen.len(), counts.join(", ")))?;
    let agrees = verdicts.count(|ruling| *ruling == Ruling::AsTheBookSays);
    let differ = verdicts.count(|ruling| *ruling == Ruling::Differs);
    let not_here = verdicts.count(|ruling| matches!(ruling, Ruling::NotHere(_)));
    let broke = verdicts.count(|ruling| matches!(ruling, Ruling::Broke(_)));
    let none = chosen.iter().filter(|claim| claim.experiment.is_none()).count();
    let broken = if broke == 0 { String::new() } else { format!(", {broke} broke") };
    screen.line(format_args!(
        "on this kernel, {}: {agrees} as the book says, {differ} differ,",
        verdicts.kernel
    ))?;
    screen.line(format_args!(
        "  {not_here} could not be tried here, {none} have no experiment{broken}"
    ))?;
    let with = |is: fn(&Ruling) -> bool| -> Vec<&str> {
        let of = |claim: &&&Claim| verdicts.trial(claim).is_some_and(|trial| is(&trial.ruling));
        chosen.iter().filter(of).map(|claim| claim.id.as_str()).collect()
    };
    let differ = with(|ruling| *ruling == Ruling::Differs);
    if !differ.is_empty() {
        report_it(&differ, &verdicts.kernel, screen)?;
    }
    let broke = with(|ruling| matches!(ruling, Ruling::Broke(_)));
    if !broke.is_empty() {
        screen.paragraph(format_args!(
            "An experiment that broke decides nothing: {}. That is a fault of the course or of this \
             environment; cargo tutor doctor may say which.",
            broke.join(", ")
        ))?;
    }
    screen.line("one of them in full: cargo tutor claims C80")
}

/// False is red, true is green, what lies between is yellow.
pub(super) fn look(verdict: Verdict) -> Style {
    let color = match verdict {
        Verdict::True => AnsiColor::Green,
        Verdict::False => AnsiColor::Red,
        Verdict::Outdated | Verdict::Nuanced => AnsiColor::Yellow,
        Verdict::Missing => AnsiColor::Cyan,
    };
    color.on_default()
}

/// At most so many characters; the end says that something is left out.
fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns - 4).collect();
    format!("{} ...", kept.trim_end_matches([' ', ',', ';', ':']))
}
