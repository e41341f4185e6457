//! The register of claims as pages of the book: the appendix `claims.md`, and for each claim that a
//! page includes a box, `claims/c80.md`. And what does not fit together between them.

mod appendix;
mod markdown;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

pub use ::claims::recording::FILE as RECORDING;
use ::claims::recording::Recorded;
use ::claims::register::{self, Claim, Register};
use ::claims::runner;
use ::claims::seen::Seen;

use super::{Generated, named};
use crate::Finding;
use crate::finders::links::dead;
use crate::house::{File, House};
use crate::page::Page;

/// The register's path in the repository.
const REGISTER: &str = "tests/claims/register.toml";

/// The folder of the boxes.
const BOXES: &str = "book/src/claims";

/// The appendix and the boxes that pages include.
pub const KIND: Generated = Generated { name: "pages of claims", folder: Some(BOXES), files };

/// Pages and sections that the register names and that are not there, links in boxes that lead
/// nowhere, boxes on a page that the register does not name for them, and a recording that does not
/// have the register's experiments.
///
/// # Errors
///
/// What reading them says, with the path; or what is wrong in the register.
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
        for link in Page::parse(&page.name, &text).links {
            let link = link.to;
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
             run `cargo course record claims`"
        );
        findings.push(Finding::new(RECORDING, problem));
    }
    Ok(findings)
}

fn files(house: &House) -> io::Result<Vec<File>> {
    let register = read_register(&house.root)?;
    let recording = read_recording(&house.root)?;
    let appendix = appendix::text(&register, &recording);
    let mut pages = vec![("book/src/claims.md".to_owned(), appendix)];
    for (_, claim) in boxes(house, &register) {
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

pub(crate) fn read_register(root: &Path) -> io::Result<Register> {
    let text = fs::read_to_string(root.join(REGISTER)).map_err(|error| named(REGISTER, &error))?;
    register::parse(&text).map_err(|error| io::Error::other(format!("{REGISTER}: {error}")))
}

pub(crate) fn read_recording(root: &Path) -> io::Result<Recorded> {
    let text =
        fs::read_to_string(root.join(RECORDING)).map_err(|error| named(RECORDING, &error))?;
    serde_json::from_str(&text).map_err(|error| io::Error::other(format!("{RECORDING}: {error}")))
}

/// `Linux 6.18`: which build of it is of no interest to a reader.
pub(crate) fn kernel() -> String {
    format!("Linux {}", lab::kernel::version())
}
