//! The register of claims as pages of the book: the appendix `claims.md`, and for each claim that a
//! page includes a box, `claims/c80.md`. And what does not fit together between them.

mod appendix;
mod markdown;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use ::claims::recording::{FILE as RECORDING, Recorded};
use ::claims::register::{self, Claim, Register};
use ::claims::runner::{self, TrialRunner};
use ::claims::seen::Seen;
use cli::programs::Build;

use crate::Finding;
use crate::house::House;
use crate::links::dead;
use crate::page::Page;

/// The register's path in the repository.
const REGISTER: &str = "tests/claims/register.toml";

/// The folder of the boxes.
const BOXES: &str = "book/src/claims";

/// Writes the appendix and the boxes below `root`, and removes boxes that no page includes any more;
/// returns the paths of those that changed, relative to it.
///
/// # Errors
///
/// What reading and writing say, with the path; or what is wrong in the register.
pub fn write(root: &Path) -> io::Result<Vec<String>> {
    let mut written = Vec::new();
    fs::create_dir_all(root.join(BOXES)).map_err(|error| named(BOXES, &error))?;
    let wanted = pages(root)?;
    for (place, text) in &wanted {
        let path = root.join(place);
        if !fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            fs::write(&path, text).map_err(|error| named(place, &error))?;
            written.push(place.clone());
        }
    }
    for place in left_over(root, &wanted)? {
        fs::remove_file(root.join(&place)).map_err(|error| named(&place, &error))?;
        written.push(place);
    }
    Ok(written)
}

/// Pages that are missing, or no longer what the register says, or not included any more.
///
/// # Errors
///
/// As [`write`].
pub fn stale(root: &Path) -> io::Result<Vec<Finding>> {
    let wanted = pages(root)?;
    let mut findings = Vec::new();
    for (place, text) in &wanted {
        if !fs::read_to_string(root.join(place)).is_ok_and(|old| old == *text) {
            findings.push(Finding::new(place, "is stale: run `cargo course claims`"));
        }
    }
    for place in left_over(root, &wanted)? {
        findings.push(Finding::new(place, "no page includes it: run `cargo course claims`"));
    }
    Ok(findings)
}

/// Runs all experiments, each in a process of its own, and keeps what they saw for the book.
///
/// # Errors
///
/// That cargo could not build their program; what is not as the book says.
pub fn record(root: &Path) -> io::Result<()> {
    let register = read_register(root)?;
    let program = Build::programs(["claims", "course"]).run()?.path("claims")?;
    let runner = TrialRunner::with_program(program);
    let names = runner::experiments(&register.claims);
    let trials = runner.all(&names, |trial, done| {
        let _ = writeln!(io::stderr(), "{done} of {}: {}", names.len(), trial.experiment);
    });
    let recording = Recorded::of(&kernel(), trials).map_err(|wrong| {
        io::Error::other(format!("not for the book:\n  {}", wrong.join("\n  ")))
    })?;
    // The first recording has nothing before it.
    let recording = match read_recording(root) {
        Ok(before) => recording.after(&before),
        Err(_) => recording,
    };
    let mut text = serde_json::to_string_pretty(&recording).map_err(io::Error::other)?;
    text.push('\n');
    fs::write(root.join(RECORDING), text).map_err(|error| named(RECORDING, &error))
}

/// `Linux 6.18`: which build of it is of no interest to a reader.
fn kernel() -> String {
    format!("Linux {}", lab::kernel::version())
}

/// Pages and sections that the register names and that are not there, links in boxes that lead
/// nowhere, boxes on a page that the register does not name for them, and a recording that does not
/// have the register's experiments.
///
/// # Errors
///
/// As [`write`].
pub fn wrong(house: &House) -> io::Result<Vec<Finding>> {
    let register = read_register(&house.root)?;
    let mut findings = Vec::new();
    let mut check = |who: &str, reference: Option<&str>| {
        let Some(reference) = reference else { return };
        let (name, id) = reference.split_once('#').unwrap_or((reference, ""));
        let page = house.page(name);
        if !page.is_some_and(|page| page.has_id(id)) {
            let problem = format!("{who}: the book has no {reference}");
            findings.push(Finding::new(REGISTER, problem));
        }
    };
    for claim in &register.claims {
        check(&claim.id, claim.page.as_deref());
    }
    for listing in &register.listings {
        for bug in &listing.bugs {
            check(&listing.name, bug.page.as_deref());
            let known = |id: &str| register.claims.iter().any(|claim| claim.id == id);
            if bug.claim.as_deref().is_some_and(|id| !known(id)) {
                check(&listing.name, Some("a claim of this number"));
            }
        }
    }
    for (page, claim) in boxes(house, &register) {
        let text = markdown::boxed(claim);
        for (_, link) in Page::parse(&page.name, &text).links {
            if let Some(problem) = dead(house, page, &link) {
                let problem = format!("{}, box on {}: {link}: {problem}", claim.id, page.name);
                findings.push(Finding::new(REGISTER, problem));
            }
        }
        let its_page = claim.page.as_deref().and_then(|page| page.split('#').next());
        if its_page != Some(&page.name) {
            let problem = format!("{}: its box is on {}, so that is its page", claim.id, page.name);
            findings.push(Finding::new(REGISTER, problem));
        }
    }
    for claim in register.claims.iter().filter(|claim| claim.in_box.is_some()) {
        if !boxes(house, &register).iter().any(|(_, other)| other.id == claim.id) {
            let problem = format!("{}: no page includes its box", claim.id);
            findings.push(Finding::new(REGISTER, problem));
        }
    }
    let recording = read_recording(&house.root)?;
    let named: BTreeSet<&str> = runner::experiments(&register.claims).into_iter().collect();
    let recorded: BTreeSet<&str> = recording.experiments.keys().map(String::as_str).collect();
    for claim in &register.claims {
        let Some(wanted) = &claim.observation else { continue };
        let seen = claim.experiment.as_ref().and_then(|name| recording.experiments.get(name));
        let one = |seen: &Seen| seen.observations.iter().any(|one| one.did.starts_with(wanted));
        if !seen.is_some_and(one) {
            let problem = format!("{}: no recorded observation begins with {wanted:?}", claim.id);
            findings.push(Finding::new(REGISTER, problem));
        }
    }
    for name in named.symmetric_difference(&recorded) {
        let problem = format!(
            "{name} is in one of register and recording: \
             run `cargo course claims --record`"
        );
        findings.push(Finding::new(RECORDING, problem));
    }
    Ok(findings)
}

/// All generated files: paths relative to `root`, and texts.
fn pages(root: &Path) -> io::Result<Vec<(String, String)>> {
    let register = read_register(root)?;
    let recording = read_recording(root)?;
    let house = House::read(root)?;
    let appendix = appendix::text(&register, &recording);
    let mut pages = vec![("book/src/claims.md".to_owned(), appendix)];
    for (_, claim) in boxes(&house, &register) {
        let place = format!("{BOXES}/{}.md", claim.id.to_lowercase());
        if !pages.iter().any(|(other, _)| *other == place) {
            pages.push((place, markdown::boxed(claim)));
        }
    }
    Ok(pages)
}

/// The boxes that pages include.
fn boxes<'a>(house: &'a House, register: &'a Register) -> Vec<(&'a Page, &'a Claim)> {
    let mut boxes = Vec::new();
    for page in &house.pages {
        for include in &page.includes {
            let name = include.file.strip_prefix("claims/c");
            let number = name.and_then(|name| name.strip_suffix(".md")).and_then(register::number);
            if let Some(claim) = number.and_then(|number| register.claim(number)) {
                boxes.push((page, claim));
            }
        }
    }
    boxes
}

/// Files in the boxes' folder that are none of these pages.
fn left_over(root: &Path, wanted: &[(String, String)]) -> io::Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(root.join(BOXES)) else { return Ok(Vec::new()) };
    let mut places = Vec::new();
    for entry in entries {
        let place = format!("{BOXES}/{}", entry?.file_name().to_string_lossy());
        if !wanted.iter().any(|(other, _)| *other == place) {
            places.push(place);
        }
    }
    places.sort();
    Ok(places)
}

fn read_register(root: &Path) -> io::Result<Register> {
    let text = fs::read_to_string(root.join(REGISTER)).map_err(|error| named(REGISTER, &error))?;
    register::parse(&text).map_err(|error| io::Error::other(format!("{REGISTER}: {error}")))
}

fn read_recording(root: &Path) -> io::Result<Recorded> {
    let text =
        fs::read_to_string(root.join(RECORDING)).map_err(|error| named(RECORDING, &error))?;
    serde_json::from_str(&text).map_err(|error| io::Error::other(format!("{RECORDING}: {error}")))
}

fn named(path: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{path}: {error}"))
}
