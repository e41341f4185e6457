//! What chapters may not do, and how long things may be.

use crate::Finding;
use crate::house::House;
use crate::includes::marker;

/// How long a lesson's `main.rs` may be from 03 to 07: a program that is read in one go.
pub const MAIN_LINES: usize = 130;

/// How many words of prose a page may have.
pub const PAGE_WORDS: usize = 2_500;

/// Lessons 03 to 07 whose `main.rs` is too long. Empty lines and lines with an anchor's mark do
/// not count.
#[must_use]
pub fn long_programs(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &house.sources {
        let limited = chapter_number(path).is_some_and(|number| (3..=7).contains(&number));
        if !limited || !path.ends_with("/src/main.rs") {
            continue;
        }
        let lines =
            text.lines().filter(|line| !line.trim().is_empty() && marker(line).is_none()).count();
        if lines > MAIN_LINES {
            let problem = format!("{lines} lines, and at most {MAIN_LINES} are one lesson");
            findings.push(Finding::new(path, problem));
        }
    }
    findings
}

/// Pages with too many words.
#[must_use]
pub fn long_pages(house: &House) -> Vec<Finding> {
    // The register and the glossary are for looking things up.
    let looked_up = ["claims.md", "glossary.md"];
    let read_in_one_go = house.pages.iter().filter(|page| !looked_up.contains(&page.name.as_str()));
    let long = read_in_one_go.filter(|page| page.words > PAGE_WORDS);
    long.map(|page| {
        let problem = format!("{} words, and at most {PAGE_WORDS} are one page", page.words);
        Finding::new(format!("book/src/{}", page.name), problem)
    })
    .collect()
}

/// `unsafe` and `unwrap()` in chapters.
#[must_use]
pub fn forbidden_words(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &house.sources {
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

/// The chapter whose program is an instrument, and uses the lab.
const INSTRUMENT: u32 = 9;

/// Chapters that depend on a chapter with the same or a higher number; and those whose program uses
/// the lab, which only the instrument's may. Their checks all use it.
#[must_use]
pub fn backward_imports(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &house.manifests {
        let Some(own) = chapter_number(path) else { continue };
        let mut section = "";
        for line in text.lines() {
            if line.starts_with('[') {
                section = line.trim();
            }
            let of_the_lab = line.starts_with("lab.") || line.starts_with("lab =");
            if of_the_lab && section == "[dependencies]" && own != INSTRUMENT {
                let problem = "its program uses the lab: only the instrument, 09, does";
                findings.push(Finding::new(path, problem));
            }
            let Some(rest) = line.trim().strip_prefix("ch") else { continue };
            let Some((number, _)) = rest.split_once('-') else { continue };
            if number.parse::<u32>().is_ok_and(|number| number >= own) {
                let problem = format!("imports ch{number}: a chapter imports only lower numbers");
                findings.push(Finding::new(path, problem));
            }
        }
    }
    findings
}

/// 3 for `chapters/03-select/...`.
fn chapter_number(path: &str) -> Option<u32> {
    path.strip_prefix("chapters/")?.split('-').next()?.parse().ok()
}
