//! What chapters may not do, how long things may be, and that no two have one name.

use std::collections::BTreeMap;

use super::includes::marker;
use crate::Finding;
use crate::house::House;

/// How many words of prose a page may have.
pub const PAGE_WORDS: usize = 2_500;

/// Programs that are longer than their `lesson.toml` allows. Empty lines and lines with an anchor's
/// mark do not count.
#[must_use]
pub fn long_programs(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lesson in &house.syllabus.lessons {
        let path = format!("chapters/{lesson}/src/main.rs");
        let (Some(most), Some(text)) = (lesson.most_lines, house.source(&path)) else { continue };
        let counts = |line: &&str| !line.trim().is_empty() && marker(line).is_none();
        let lines = text.lines().filter(counts).count();
        if lines > most {
            let problem = format!("{lines} lines, and at most {most} are one lesson");
            findings.push(Finding::new(path, problem));
        }
    }
    findings
}

/// Pages with too many words.
#[must_use]
pub fn long_pages(house: &House) -> Vec<Finding> {
    // These are for looking things up.
    let looked_up = ["claims.md", "exercises.md", "glossary.md", "symptoms.md"];
    let read_in_one_go = house.pages.iter().filter(|page| !looked_up.contains(&page.name.as_str()));
    let long = read_in_one_go.filter(|page| page.words > PAGE_WORDS);
    long.map(|page| {
        let problem = format!("{} words, and at most {PAGE_WORDS} are one page", page.words);
        Finding::new(format!("book/src/{}", page.name), problem)
    })
    .collect()
}

/// `unsafe` and `unwrap()` in chapters, but for solutions that are none.
#[must_use]
pub fn forbidden_words(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let shown = house.sources.iter().filter(|(path, _)| !path.contains("/wrong/"));
    for (path, text) in shown {
        for (at, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            let word = if words.any(|word| word == "unsafe") {
                "unsafe"
            } else if code.contains(".unwrap()") {
                "unwrap()"
            } else {
                continue;
            };
            let place = format!("{path}:{}", at + 1);
            findings.push(Finding::new(place, format!("a chapter has no `{word}`")));
        }
    }
    findings
}

/// Chapters that depend on a chapter with the same or a higher number; and those whose program uses
/// the lab without their `lesson.toml` saying so. Their checks all use it.
#[must_use]
pub fn backward_imports(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lesson in &house.syllabus.lessons {
        let path = format!("chapters/{lesson}/Cargo.toml");
        let manifest = house.manifests.iter().find(|(own, _)| *own == path);
        let Some((_, text)) = manifest else { continue };
        let mut section = "";
        for line in text.lines() {
            if line.starts_with('[') {
                section = line.trim();
            }
            let of_the_lab = line.starts_with("lab.") || line.starts_with("lab =");
            if of_the_lab && section == "[dependencies]" && !lesson.uses_lab {
                let problem = "its program uses the lab: only an instrument's does";
                findings.push(Finding::new(&path, problem));
            }
            let Some(rest) = line.trim().strip_prefix("ch") else { continue };
            let Some((number, _)) = rest.split_once('-') else { continue };
            if number.parse::<u32>().is_ok() && number >= lesson.number() {
                let problem = format!("imports ch{number}: a chapter imports only lower numbers");
                findings.push(Finding::new(&path, problem));
            }
        }
    }
    findings
}

/// Public types of different crates that have one name: a reader of both could not tell which is meant.
#[must_use]
pub fn doubled_names(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut first = BTreeMap::new();
    for (path, text) in house.sources.iter().chain(&house.tests) {
        let Some((of_crate, _)) = path.split_once("/src/") else { continue };
        for name in text.lines().filter_map(public_type) {
            let &mut (other, elsewhere) = first.entry(name).or_insert((of_crate, path));
            if other != of_crate {
                let problem = format!("{name} is the name of a public type in {elsewhere} too");
                findings.push(Finding::new(path, problem));
            }
        }
    }
    findings
}

/// The name of the public type that is defined in this line, if one is.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let kinds = ["struct ", "enum ", "trait ", "type "];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(*kind))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}
