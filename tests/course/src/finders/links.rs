//! Headings, links and fragments.

use std::collections::BTreeSet;

use crate::Finding;
use crate::house::House;
use crate::page::Page;

/// Where the book may point outside itself. Nothing is fetched.
const HOSTS: [&str; 9] = [
    "man7.org",
    "kernel.org",
    "rfc-editor.org",
    "docs.rs",
    "rust-lang.org",
    "rust-lang.github.io",
    "opengroup.org",
    "crates.io",
    "just.systems",
];

/// Headings without an explicit id, and ids that a page uses twice.
#[must_use]
pub fn wrong_headings(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in &house.pages {
        let mut seen = BTreeSet::new();
        for part in page.with_included() {
            for heading in &part.headings {
                let place = part.place(heading.line);
                match &heading.id {
                    None => {
                        let problem = format!("the heading `{}` has no `{{#id}}`", heading.text);
                        findings.push(Finding::new(place, problem));
                    }
                    Some(id) if !seen.insert(id) => {
                        findings.push(Finding::new(place, format!("the id `{id}` is used twice")));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    findings
}

/// Links to pages, ids or files that are not there, and to hosts that the book does not use.
#[must_use]
pub fn dead_links(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in house.pages.iter().chain([&house.summary]) {
        for part in page.with_included() {
            for link in &part.links {
                // Where it is included, it is a link of that page.
                if let Some(problem) = dead(house, page, &link.to) {
                    let problem = format!("{}: {problem}", link.to);
                    findings.push(Finding::new(part.place(link.line), problem));
                }
            }
        }
    }
    findings
}

/// `"03-select.md#why"` in a check: the page or the id is not there.
#[must_use]
pub fn dead_references(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &house.tests {
        // The finders' own checks plant such faults.
        if path == "tests/course/tests/book.rs" {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            for word in line.split('"').skip(1).step_by(2) {
                let Some((name, id)) = word.split_once(".md#") else { continue };
                // What is put together when the program runs is no reference yet.
                if name.is_empty() || word.contains([' ', '{', '[', '(']) {
                    continue;
                }
                let page = house.page(&format!("{name}.md"));
                if !page.is_some_and(|page| page.has_id(id)) {
                    let problem = format!("the book has no {word}");
                    findings.push(Finding::new(format!("{path}:{}", at + 1), problem));
                }
            }
        }
    }
    findings
}

/// Why this link, on this page, leads nowhere.
pub(crate) fn dead(house: &House, page: &Page, link: &str) -> Option<&'static str> {
    if let Some((scheme, rest)) = link.split_once("://") {
        let host = rest.split(['/', '#', '?', ':']).next().unwrap_or_default();
        let known = |known: &str| host == known || host.ends_with(&format!(".{known}"));
        let allowed = matches!(scheme, "http" | "https") && HOSTS.into_iter().any(known);
        return (!allowed).then_some("not a place that the book points to");
    }
    let (file, fragment) = match link.split_once('#') {
        Some((file, fragment)) => (file, Some(fragment)),
        None => (link, None),
    };
    let target = if file.is_empty() { Some(page) } else { house.page(file) };
    match (target, fragment) {
        (Some(target), Some(id)) => (!target.has_id(id)).then_some("no heading has this id"),
        (Some(_), None) => None,
        // A file of another kind lies beside the pages: what is outside is not in the built book.
        (None, _) if file.starts_with("..") => Some("leads out of the book"),
        (None, _) if house.root.join("book/src").join(file).is_file() => None,
        (None, _) => Some("no such page"),
    }
}
