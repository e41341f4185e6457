//! A statement as a terminal shows it: paragraphs and lists broken between words, code as it is, without the marks of
//! Markdown. It knows what statements are written in, and no more.

use std::io;

use cli::screen::{COLUMNS, Screen};

/// Shows what stands below the first paragraph, which says how to start.
///
/// # Errors
///
/// What write(2) says of standard output.
pub fn tell(markdown: &str, screen: &mut Screen) -> io::Result<()> {
    let (_, rest) = markdown.trim_start().split_once("\n\n").unwrap_or_default();
    let mut text = Text { lines: Vec::new(), rest: "  ".to_owned() };
    let mut is_code = false;
    for line in rest.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            text.flush(screen)?;
            is_code = !is_code;
        } else if is_code {
            screen.line(format!("    {line}").trim_end())?;
        } else if trimmed.starts_with("<!--") {
            text.flush(screen)?;
        } else if trimmed.is_empty() {
            text.flush(screen)?;
            screen.line("")?;
        } else {
            if let Some(width) = mark(trimmed) {
                text.flush(screen)?;
                text.rest = " ".repeat(2 + width);
            }
            text.lines.push(trimmed.to_owned());
        }
    }
    text.flush(screen)?;
    screen.line("")
}

/// What was read of a paragraph or of an item, and how the lines behind its first are indented.
struct Text {
    lines: Vec<String>,
    rest: String,
}

impl Text {
    fn flush(&mut self, screen: &mut Screen) -> io::Result<()> {
        let text = plain(&self.lines.join(" "));
        let rest = std::mem::replace(&mut self.rest, "  ".to_owned());
        self.lines.clear();
        if text.is_empty() { Ok(()) } else { screen.wrapped("  ", &rest, &text, COLUMNS) }
    }
}

/// How wide the mark of an item is: `- `, `12. `.
fn mark(line: &str) -> Option<usize> {
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    match (digits, &line[digits..]) {
        (0, rest) if rest.starts_with("- ") || rest.starts_with("* ") => Some(2),
        (1.., rest) if rest.starts_with(". ") => Some(digits + 2),
        _ => None,
    }
}

/// Without the marks of code, of emphasis and of links; what is code stays as it is.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars().peekable();
    let (mut is_code, mut is_address) = (false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '`' => is_code = !is_code,
            _ if is_code => plain.push(letter),
            ')' if is_address => is_address = false,
            _ if is_address => {}
            // The mark of an item.
            '*' if plain.is_empty() && letters.peek() == Some(&' ') => plain.push(letter),
            '*' => {}
            // [the table](09-readiness.md#table): what is linked stays.
            ']' if letters.peek() == Some(&'(') => {
                if let Some(at) = plain.rfind('[') {
                    plain.remove(at);
                    is_address = true;
                }
            }
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use cli::screen::Screen;

    use super::{plain, tell};

    #[test]
    fn paragraphs_are_broken_items_indented_and_code_left() {
        let long = "word ".repeat(20);
        let markdown = format!(
            "*Build, 2 minutes:* `cargo tutor start 03.1`\n\nWrite `it`.\n\n- {long}\n  more\n- two\n\n\
             ```text\na   b\n\n  c\n```\n\n2. *three*\nfour\n"
        );
        let text = Screen::text_of(|screen| tell(&markdown, screen)).expect("a text");
        let words = |count: usize| vec!["word"; count].join(" ");
        let expected = format!(
            "  Write it.\n\n  - {}\n    {} more\n  - two\n\n    a   b\n\n      c\n\n  2. three four\n\n",
            words(15),
            words(5)
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn marks_are_left_out_and_what_is_code_stays() {
        assert_eq!(plain("see [the `read` table](09.md#table), *now*"), "see the read table, now");
        assert_eq!(plain("`*const T` and `a[0](b)`"), "*const T and a[0](b)");
        assert_eq!(plain("* an item"), "* an item");
        assert_eq!(plain("an [array]"), "an [array]");
    }
}
