//! One claim as Markdown.

use ::claims::register::{Claim, Verdict};

/// The box of a chapter's page: verdict and claim, then what is so, then where the whole of it is.
pub fn boxed(claim: &Claim) -> String {
    let kind = match claim.verdict {
        Verdict::False | Verdict::Outdated => "WARNING",
        Verdict::True | Verdict::Nuanced | Verdict::Missing => "NOTE",
    };
    let verdict = capital(claim.verdict.word());
    let says = plain(&claim.says);
    let text = claim.in_box.clone().unwrap_or_else(|| plain(&claim.correct));
    let id = &claim.id;
    let mut quoted = format!("> [!{kind}]\n> **{verdict}: {says}**\n");
    for line in text.trim().lines() {
        quoted += format!("> {line}").trim_end();
        quoted.push('\n');
    }
    let small = id.to_lowercase();
    quoted + &format!(">\n> [{id}](claims.md#{small}), `cargo tutor claims {id}`\n")
}

/// Text that Markdown shall show as it is.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        let in_word = plain.ends_with(|last: char| last.is_alphanumeric());
        match letter {
            '<' => plain += "&lt;",
            // Within a word it is a letter: fd_set.
            '_' if in_word => plain.push(letter),
            '*' | '[' | ']' | '_' | '|' | '~' | '`' => plain.extend(['\\', letter]),
            _ => plain.push(letter),
        }
    }
    plain
}

/// Text as code.
pub fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// With a capital at its beginning.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
