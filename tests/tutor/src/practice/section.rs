//! A section of the book as a person finds it: its file, its line, its heading.

use std::path::Path;

/// Where the section `why` of `03-select.md` is: `book/src/03-select.md:120, "Why"`; the file alone where no heading has
/// that id.
pub fn place(root: &Path, page: &str, id: &str) -> String {
    let file = format!("book/src/{page}");
    let text = std::fs::read_to_string(root.join(&file)).unwrap_or_default();
    let mark = format!("{{#{id}}}");
    let heading = text.lines().enumerate().find_map(|(at, line)| {
        let heading = line.strip_prefix('#')?.trim_start_matches('#');
        Some((at + 1, heading.trim().strip_suffix(&mark)?.trim().replace('`', "")))
    });
    match heading {
        Some((line, heading)) => format!("{file}:{line}, \"{heading}\""),
        None => file,
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_section_is_named_by_line_and_heading() {
        let root = tempfile::tempdir().expect("a folder");
        let pages = root.path().join("book/src");
        std::fs::create_dir_all(&pages).expect("a folder");
        std::fs::write(pages.join("a.md"), "# A {#a}\n\n## Why `read` {#why}\n").expect("a page");
        assert_eq!(place(root.path(), "a.md", "why"), "book/src/a.md:3, \"Why read\"");
        assert_eq!(place(root.path(), "a.md", "none"), "book/src/a.md");
        assert_eq!(place(root.path(), "b.md", "why"), "book/src/b.md");
    }
}
