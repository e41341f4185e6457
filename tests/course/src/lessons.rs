//! Chapters, pages and check files belong together.

use crate::Finding;
use crate::house::{File, House};

/// Numbered pages without a chapter, chapters without a page, and pages that SUMMARY.md leaves out.
///
/// Page 00 explains what a connection is, before the first program: it has no chapter.
#[must_use]
pub fn unpaired(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for chapter in &house.chapters {
        if house.page(&format!("{chapter}.md")).is_none() {
            let place = format!("chapters/{chapter}");
            findings.push(Finding::new(place, format!("no page book/src/{chapter}.md")));
        }
    }
    for page in &house.pages {
        let place = format!("book/src/{}", page.name);
        let lesson = page.name.trim_end_matches(".md");
        let numbered = lesson.starts_with(|c: char| c.is_ascii_digit());
        if numbered && !lesson.starts_with("00-") && !house.chapters.iter().any(|it| it == lesson) {
            findings.push(Finding::new(&place, format!("no chapter chapters/{lesson}")));
        }
        let listed = house.summary.links.iter().any(|(_, link)| *link == page.name);
        if !listed {
            findings.push(Finding::new(&place, "SUMMARY.md does not list it"));
        }
    }
    findings
}

/// Check files in `tests` that no manifest names, and so nobody builds, or that two name.
#[must_use]
pub fn unregistered_checks(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let named: Vec<String> =
        house.manifests.iter().flat_map(|manifest| house.named_files(manifest)).collect();
    for (path, _) in &house.tests {
        let file = path.strip_prefix("tests/").unwrap_or(path);
        if file.contains('/') {
            continue;
        }
        match named.iter().filter(|&it| it == path).count() {
            1 => {}
            0 => findings.push(Finding::new(path, "no manifest names this check file")),
            _ => findings.push(Finding::new(path, "two manifests name this check file")),
        }
    }
    findings
}

/// The suite that runs the transcripts of a lesson's pages.
const TRANSCRIPTS: &str = "transcripts";

/// Transcripts that no test runs: those of a lesson's page are run by the suite that its `lesson.toml`
/// names, or by its own check file.
#[must_use]
pub fn unrun_transcripts(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in &house.pages {
        let Some(line) = page.first_transcript() else { continue };
        let name = page.name.trim_end_matches(".md");
        let mut lessons = house.syllabus.lessons.iter();
        let lesson = lessons.find(|lesson| lesson.pages.iter().any(|page| page == name));
        let run = lesson.map_or_else(
            || house.tests.iter().any(|(_, text)| text.contains(&format!("of_page(\"{name}\")"))),
            |lesson| {
                let mut suites = lesson.programs.iter().flat_map(|program| &program.suites);
                let file = lesson.check_file();
                let own = |(path, text): &File| *path == file && text.contains("TRANSCRIPTS_HOLD");
                suites.any(|suite| suite == TRANSCRIPTS) || house.tests.iter().any(own)
            },
        );
        if !run {
            let place = format!("book/src/{}:{line}", page.name);
            findings.push(Finding::new(place, "no test runs this page's transcripts"));
        }
    }
    findings
}
