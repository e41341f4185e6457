//! A lesson's chapter, its pages, its checks and its row in the README belong together.

use crate::Finding;
use crate::house::{File, House};

/// Lessons whose page is not there, numbered pages that are no lesson's, and pages that SUMMARY.md
/// leaves out or calls by another title.
///
/// Page 00 explains what a connection is, before the first program: it has no lesson.
#[must_use]
pub fn unpaired(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lesson in &house.syllabus.lessons {
        for page in &lesson.pages {
            if house.page(&format!("{page}.md")).is_none() {
                let problem = format!("no page book/src/{page}.md");
                findings.push(Finding::new(lesson.file(), problem));
            }
        }
    }
    for page in &house.pages {
        let place = format!("book/src/{}", page.name);
        let name = page.name.trim_end_matches(".md");
        let numbered = name.starts_with(|c: char| c.is_ascii_digit()) && !name.starts_with("00-");
        if numbered && house.lesson_of(page).is_none() {
            findings.push(Finding::new(&place, "the page of no lesson"));
        }
        let listed = house.summary.links.iter().find(|link| link.to == page.name);
        match (listed, house.lesson_of(page)) {
            (None, _) => findings.push(Finding::new(&place, "SUMMARY.md does not list it")),
            (Some(link), Some(lesson)) if lesson.pages[0] == name => {
                let title = format!("{} {}", lesson.number(), lesson.title);
                if link.text != title {
                    let problem = format!("SUMMARY.md calls it {:?}, not {title:?}", link.text);
                    findings.push(Finding::new(&place, problem));
                }
            }
            (Some(_), _) => {}
        }
    }
    findings
}

/// Lessons that the README's table of the course leaves out.
#[must_use]
pub fn unlisted(house: &House) -> Vec<Finding> {
    let listed = |folder: &str| house.readme.links.iter().any(|link| link.to == folder);
    let folders = house.syllabus.lessons.iter().map(|lesson| format!("chapters/{lesson}"));
    let unlisted = folders.filter(|folder| !listed(folder));
    unlisted.map(|folder| Finding::new("README.md", format!("no row for {folder}"))).collect()
}

/// Lessons without a check file, and check files in `tests` that no manifest names, and so nobody
/// builds, or that two name.
#[must_use]
pub fn unregistered_checks(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lesson in &house.syllabus.lessons {
        let file = lesson.check_file();
        if !house.tests.iter().any(|(path, _)| *path == file) {
            findings.push(Finding::new(lesson.file(), format!("no check file {file}")));
        }
    }
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
        let run = house.lesson_of(page).map_or_else(
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
