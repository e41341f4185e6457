//! Code on pages: by anchor, and the anchor is there. mdBook says nothing when it is not.

use std::collections::BTreeMap;
use std::fs;

use crate::Finding;
use crate::house::House;

/// Includes whose file or anchor is missing, or that select by line numbers.
#[must_use]
pub fn wrong_includes(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in &house.pages {
        for include in &page.includes {
            let place = format!("book/src/{}:{}", page.name, include.line);
            let path = house.root.join("book/src").join(&include.file);
            let Ok(text) = fs::read_to_string(&path) else {
                findings.push(Finding::new(place, format!("no such file: {}", include.file)));
                continue;
            };
            let Some(selector) = &include.selector else { continue };
            if selector.contains(':') || selector.parse::<usize>().is_ok() {
                let problem = format!("`{selector}` selects by line number: use an anchor");
                findings.push(Finding::new(place, problem));
            } else if !anchors(&text).contains_key(selector.as_str()) {
                let problem = format!("{} has no anchor `{selector}`", include.file);
                findings.push(Finding::new(place, problem));
            }
        }
    }
    findings
}

/// Anchors in the chapters that are empty, opened or closed twice, or not closed.
#[must_use]
pub fn wrong_anchors(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &house.sources {
        for (name, anchor) in anchors(text) {
            let problem = match (&anchor.opened[..], &anchor.closed[..]) {
                ([open], [close]) if open < close => {
                    let lines = text.lines().take(*close).skip(open + 1);
                    let mut lines = lines.filter(|line| marker(line).is_none());
                    if lines.any(|line| !line.trim().is_empty()) {
                        continue;
                    }
                    "is empty"
                }
                ([_], []) => "is not closed",
                ([], _) => "is closed but not opened",
                ([_], [_]) => "is closed before it is opened",
                _ => "stands there more than once",
            };
            findings.push(Finding::new(path, format!("anchor `{name}` {problem}")));
        }
    }
    findings
}

/// The name in an `ANCHOR: name` or `ANCHOR_END: name` comment, and whether it opens.
#[must_use]
pub fn marker(line: &str) -> Option<(&str, bool)> {
    let comment = line.trim().strip_prefix("//")?.trim_start();
    let opens = comment.strip_prefix("ANCHOR:").map(|name| (name.trim(), true));
    opens.or_else(|| comment.strip_prefix("ANCHOR_END:").map(|name| (name.trim(), false)))
}

#[derive(Default)]
struct Anchor {
    opened: Vec<usize>,
    closed: Vec<usize>,
}

fn anchors(text: &str) -> BTreeMap<&str, Anchor> {
    let mut anchors: BTreeMap<&str, Anchor> = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        if let Some((name, opens)) = marker(line) {
            let anchor = anchors.entry(name).or_default();
            if opens { anchor.opened.push(at) } else { anchor.closed.push(at) }
        }
    }
    anchors
}
