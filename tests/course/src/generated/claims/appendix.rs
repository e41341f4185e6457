//! The register as a page.

use std::collections::BTreeMap;
use std::fmt::Display;

use ::claims::recording::Recorded;
use ::claims::register::{Claim, Listing, Register, SECTIONS, Verdict};
use ::claims::seen::Observation;

use super::markdown::{code, plain};

/// The whole page.
pub fn text(register: &Register, recording: &Recorded) -> String {
    let mut text = String::new();
    line(
        &mut text,
        format_args!("<!-- Written by `cargo course write` from tests/claims/register.toml. -->\n"),
    );
    line(&mut text, format_args!("# Claims on trial {{#claims}}\n"));
    beginning(register, recording, &mut text);
    // Where an experiment was told already, a link is enough.
    let mut told = BTreeMap::new();
    for section in SECTIONS {
        line(&mut text, format_args!("## {} {{#{}}}\n", section.title, section.id));
        for claim in section.claims(register) {
            entry(claim, recording, &mut told, &mut text);
        }
    }
    if !register.listings.is_empty() {
        listings(&register.listings, &mut text);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn line(text: &mut String, words: impl Display) {
    *text += &words.to_string();
    text.push('\n');
}

fn beginning(register: &Register, recording: &Recorded, text: &mut String) {
    let all = &register.claims;
    let count = |verdict| all.iter().filter(|claim| claim.verdict == verdict).count();
    let counts: Vec<String> =
        Verdict::ALL.iter().map(|&verdict| format!("{} {verdict}", count(verdict))).collect();
    let heard = all.iter().filter(|claim| claim.who.starts_with('W')).count();
    let tried = all.iter().filter(|claim| claim.experiment.is_some()).count();
    line(
        text,
        format_args!(
            "This course grew from five texts on the web, S0 to S4. They say {} things about select, poll, \
         epoll and connect that can be right or wrong, and other texts repeat them. {} more are what \
         working programmers hear elsewhere, W1 to W5. Here is each, with its verdict: {}.\n",
            all.len() - heard,
            heard,
            counts.join(", ")
        ),
    );
    line(
        text,
        format_args!(
            "For {tried} of them an experiment decides. `cargo tutor claims` runs all of them on *your* \
         kernel, in less than a minute and without root; `cargo tutor claims C80` tells one. What is \
         shown here was seen on {}. Where numbers of descriptors, times and sizes appear, yours will \
         be others. The rest are history, opinion or a matter of words, and say so.\n",
            recording.kernel
        ),
    );
    line(
        text,
        format_args!(
            "*Half true* means true with a condition that the claim does not name. *Missing* means that a \
         text promises something and does not give it, or is silent where it matters.\n"
        ),
    );
    line(text, format_args!("| | the text, or the kind of text |\n|---|---|"));
    for (short, words) in &register.texts {
        line(text, format_args!("| {short} | {} |", plain(words)));
    }
    text.push('\n');
}

fn entry<'a>(
    claim: &'a Claim,
    recording: &Recorded,
    told: &mut BTreeMap<&'a str, &'a str>,
    text: &mut String,
) {
    let (id, small) = (&claim.id, claim.id.to_lowercase());
    line(text, format_args!("### {id}: {} {{#{small}}}\n", claim.verdict));
    let who = if claim.who == "-" { String::new() } else { format!(" ({})", claim.who) };
    line(text, format_args!("> {}{who}\n", plain(&claim.says)));
    line(text, format_args!("{}\n", plain(&claim.correct)));
    let page = claim.page.as_ref().map_or(String::new(), |page| {
        let chapter = page.split(['-', '.']).next().unwrap_or_default();
        let numbered = chapter.bytes().all(|byte| byte.is_ascii_digit());
        let name = if numbered { format!("chapter {chapter}") } else { "the book".to_owned() };
        format!(" In the book: [{name}]({page}).")
    });
    line(text, format_args!("Source: {}.{page}\n", plain(&claim.source)));
    let Some(name) = claim.experiment.as_deref() else {
        let why = claim.no_experiment.as_deref().unwrap_or_default();
        line(text, format_args!("No experiment. {}\n", plain(why)));
        return;
    };
    let Some(seen) = recording.experiments.get(name) else { return };
    if let Some(one) = seen.telling(claim.observation.as_deref()) {
        line(text, format_args!("Seen: {}\n", observed(one)));
    }
    if let Some(refuted_by) = &claim.refuted_by {
        line(text, format_args!("It would be refuted by: {}\n", plain(refuted_by)));
    }
    if let Some(&first) = told.get(name) {
        let small = first.to_lowercase();
        line(
            text,
            format_args!("Experiment {}: all of it is at [{first}](#{small}).\n", code(name)),
        );
        return;
    }
    told.insert(name, id);
    if seen.observations.len() < 2 {
        line(text, format_args!("Experiment {}: that is all of it.\n", code(name)));
        return;
    }
    line(text, format_args!("<details>\n<summary>Experiment <code>{name}</code></summary>\n"));
    for one in &seen.observations {
        line(text, format_args!("- {}", observed(one)));
    }
    line(text, format_args!("\n</details>\n"));
}

fn observed(one: &Observation) -> String {
    format!("{} \u{2192} {}", plain(&one.did), code(&one.saw))
}

fn listings(listings: &[Listing], text: &mut String) {
    line(text, format_args!("## The programs that the texts print {{#listings}}\n"));
    line(
        text,
        format_args!(
            "What happens to who types them in. They are told here and not shipped: the course's own \
         programs do the same work.\n"
        ),
    );
    for (at, listing) in listings.iter().enumerate() {
        line(
            text,
            format_args!(
                "### {} ({}) {{#listing-{}}}\n",
                plain(&listing.name),
                listing.who,
                at + 1
            ),
        );
        line(text, format_args!("Does it compile as printed? {}\n", plain(&listing.compiles)));
        for bug in &listing.bugs {
            let claim = bug
                .claim
                .as_ref()
                .map_or(String::new(), |id| format!(" [{id}](#{}).", id.to_lowercase()));
            let page = bug
                .page
                .as_ref()
                .map_or(String::new(), |page| format!(" [How it is done]({page})."));
            line(
                text,
                format_args!("- **{}** {}{claim}{page}", plain(&bug.bug), plain(&bug.shown)),
            );
        }
        text.push('\n');
    }
}
