//! A learner's program beside the solution: what differs, if that is short enough to be read.

use std::io;

use cli::screen::{COLUMNS, Screen};
use diffy::{DiffOptions, PatchFormatter};

/// So many unchanged lines stand around a change.
const CONTEXT: usize = 2;

/// Shows what leads from `own` to `solution`, or says why that would help nobody.
///
/// # Errors
///
/// What write(2) says of standard output.
pub fn tell(own: &str, solution: &str, screen: &mut Screen) -> io::Result<()> {
    if own == solution {
        return screen.line("your program is the solution, letter by letter");
    }
    let mut options = DiffOptions::new();
    options.set_context_len(CONTEXT);
    options.set_original_filename("yours").set_modified_filename("the solution");
    let patch = options.create_patch(own, solution);
    let told = PatchFormatter::new().with_color().fmt_patch(&patch).to_string();
    // More marks than lines: whoever went another way reads the solution by itself.
    let changed = patch.hunks().iter().flat_map(diffy::Hunk::lines);
    let changed = changed.filter(|line| !matches!(line, diffy::Line::Context(_))).count();
    if changed > solution.lines().count() {
        return screen.wrapped(
            "",
            "",
            "you went another way than the solution: line by line there is little to compare",
            COLUMNS,
        );
    }
    told.lines().try_for_each(|line| screen.line(line))
}

#[cfg(test)]
mod tests {
    use cli::screen::Screen;

    use super::tell;

    fn told(own: &str, solution: &str) -> String {
        Screen::text_of(|screen| tell(own, solution, screen)).expect("a text")
    }

    #[test]
    fn a_small_difference_is_shown_with_two_lines_around_it() {
        let lines = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(|number| format!("line {number}\n"));
        let solution = lines.concat();
        let text = told(&solution.replace("line 5", "mine"), &solution);
        assert!(
            text.starts_with("--- yours\n+++ the solution\n@@ -3,5 +3,5 @@\n line 3\n"),
            "{text}"
        );
        assert!(text.contains("\n-mine\n+line 5\n") && !text.contains("line 2"), "{text}");
    }

    #[test]
    fn what_has_nothing_in_common_is_not_compared_line_by_line() {
        let text = told("a\nb\nc\n", "d\ne\nf\n");
        assert!(text.starts_with("you went another way"), "{text}");
        assert!(told("a\n", "a\n").contains("letter by letter"));
    }
}
