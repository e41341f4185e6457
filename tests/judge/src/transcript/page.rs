//! Finds the console blocks of a page, and the steps in them.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::bound::Bound;

/// One console block.
#[derive(Debug, PartialEq)]
pub struct Block {
    /// The number of the line with the opening fence, from 1.
    pub line: usize,
    /// `terminal-1`, or none for a terminal that lives as long as the block.
    pub terminal: Option<String>,
    /// Does the last command stay up?
    pub stays: bool,
    /// What happens in it, at least one thing.
    pub steps: Vec<TranscriptStep>,
    /// What its durations must be.
    pub bounds: Vec<Bound>,
}

/// One thing that happens in a block, and what is printed then.
#[derive(Debug, PartialEq)]
pub struct TranscriptStep {
    /// The number of its line, from 1.
    pub line: usize,
    /// What happens.
    pub action: Action,
    /// The expected lines, as indices into the page's lines.
    pub lines: Range<usize>,
    /// How much white space before each line belongs to the Markdown.
    pub indent: usize,
}

#[derive(Debug, PartialEq)]
pub enum Action {
    /// A command is typed.
    Command(String),
    /// Nothing is typed: what has been printed since?
    Since,
    /// The key that interrupts.
    Interrupt,
}

/// All console blocks of a page; or the number of a line, from 1, and what is wrong with it.
pub fn blocks(text: &str) -> Result<Vec<Block>, (usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut bounds: Vec<usize> =
        (0..lines.len()).filter(|&at| lines[at].contains("<!-- bound")).collect();
    let mut at = 0;
    while at < lines.len() {
        let open = at;
        at += 1;
        let Some(fence) = Fence::of(lines[open]) else { continue };
        while at < lines.len() && !fence.is_closed_by(lines[at]) {
            at += 1;
        }
        if at == lines.len() {
            return Err((open + 1, "this block is not closed".to_owned()));
        }
        if let Some(block) = block(&lines, &fence, open, at)? {
            let before = bounds.partition_point(|&bound| bound < open);
            bounds.drain(before - block.bounds.len()..before);
            blocks.push(block);
        }
        at += 1;
    }
    if let Some(at) = bounds.first() {
        return Err((at + 1, "a bound stands before no console block".to_owned()));
    }
    Ok(blocks)
}

/// Replaces a page, unless somebody has changed it since `old` was read.
pub fn replace(path: &Path, old: &str, new: &str) -> io::Result<()> {
    if std::fs::read_to_string(path)? != old {
        return Err(io::Error::other("was changed while its transcripts ran: update it again"));
    }
    std::fs::write(path, new)
}

struct Fence<'a> {
    indent: usize,
    mark: char,
    length: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let trimmed = line.trim_start();
        let mark = trimmed.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let info = trimmed.trim_start_matches(mark);
        let length = trimmed.len() - info.len();
        let inline = mark == '`' && info.contains('`');
        (length >= 3 && !inline).then(|| Self {
            indent: line.len() - trimmed.len(),
            mark,
            length,
            info: info.trim(),
        })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let trimmed = line.trim();
        trimmed.len() >= self.length && trimmed.chars().all(|c| c == self.mark)
    }
}

/// The block between the fences at `open` and `close`, if it is a console.
fn block(
    lines: &[&str],
    fence: &Fence,
    open: usize,
    close: usize,
) -> Result<Option<Block>, (usize, String)> {
    let mut words = fence.info.split([',', ' ']).filter(|word| !word.is_empty());
    if words.next() != Some("console") {
        return Ok(None);
    }
    let (mut terminal, mut stays) = (None, false);
    for word in words {
        if word == "stays" {
            stays = true;
        } else if word.starts_with("terminal-") && terminal.is_none() {
            terminal = Some(word.to_owned());
        } else {
            return Err((open + 1, format!("`{word}` means nothing in a console block")));
        }
    }
    let steps = steps(lines, fence.indent, open + 1..close);
    if steps.is_empty() {
        return Err((open + 1, "this console block is empty".to_owned()));
    }
    if steps[0].action == Action::Since && terminal.is_none() {
        let problem = "no `$ ` line comes first, and no terminal is named: whose output is it?";
        return Err((open + 1, problem.to_owned()));
    }
    if stays && terminal.is_none() {
        return Err((open + 1, "name the terminal in which the command stays".to_owned()));
    }
    if stays && !matches!(steps.last(), Some(TranscriptStep { action: Action::Command(_), .. })) {
        return Err((open + 1, "a command comes last where one stays".to_owned()));
    }
    let bounds = bounds(lines, open, close)?;
    Ok(Some(Block { line: open + 1, terminal, stays, steps, bounds }))
}

/// The bounds that stand before the fence at `open`. Each is about a line of the block, and the page keeps it.
fn bounds(lines: &[&str], open: usize, close: usize) -> Result<Vec<Bound>, (usize, String)> {
    let mut bounds = Vec::new();
    for at in (0..open).rev() {
        let Some(bound) = Bound::of(lines[at]) else {
            if lines[at].trim().is_empty() {
                continue;
            }
            break;
        };
        let bound = bound.map_err(|problem| (at + 1, problem))?;
        // What is typed is no output.
        let printed = |&line: &usize| !lines[line].trim_start().starts_with(['$', '>']);
        let mut printed = (open + 1..close)
            .filter(printed)
            .filter(|&line| bound.is_about(lines[line]))
            .peekable();
        if printed.peek().is_none() {
            return Err((at + 1, "no line of the block below has these words".to_owned()));
        }
        if let Some(line) = printed.find(|&line| bound.is_broken_by(lines[line])) {
            return Err((line + 1, format!("the bound before the block says {bound}")));
        }
        bounds.push(bound);
    }
    Ok(bounds)
}

fn steps(lines: &[&str], indent: usize, range: Range<usize>) -> Vec<TranscriptStep> {
    let mut steps: Vec<TranscriptStep> = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let line = at + 1;
        let text = unindented(lines[at], indent);
        let action = if text == "^C" {
            Action::Interrupt
        } else if let Some(command) = text.strip_prefix("$ ") {
            let mut command = command.to_owned();
            let next = |at: usize| lines[at + 1..range.end].first();
            while let Some(more) =
                next(at).and_then(|next| unindented(next, indent).strip_prefix("> "))
            {
                command = command + "\n" + more;
                at += 1;
            }
            Action::Command(command)
        } else {
            match steps.last_mut() {
                Some(step) => step.lines.end = at + 1,
                None => {
                    steps.push(TranscriptStep {
                        line,
                        action: Action::Since,
                        lines: at..at + 1,
                        indent,
                    });
                }
            }
            at += 1;
            continue;
        };
        at += 1;
        steps.push(TranscriptStep { line, action, lines: at..at, indent });
    }
    steps
}

/// The line without the white space that the Markdown put before the whole block.
pub fn unindented(line: &str, indent: usize) -> &str {
    let white = line.len() - line.trim_start().len();
    &line[white.min(indent)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_steps_are_found() {
        let text = "text\n```console,terminal-1,stays\n$ one \\\n> two\nout\n\n$ three\n```\n\
                    ```text\n$ not run\n```\n```console,terminal-1\nmore\n^C\nbye\n```\n";
        let blocks = blocks(text).expect("a good page");
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].line, blocks[0].stays), (2, true));
        let step = &blocks[0].steps[0];
        assert_eq!(step.action, Action::Command("one \\\ntwo".to_owned()));
        assert_eq!((step.line, &step.lines), (3, &(4..6)));
        assert_eq!(blocks[0].steps[1].lines, 7..7);
        let actions: Vec<_> = blocks[1].steps.iter().map(|step| &step.action).collect();
        assert_eq!(actions, [&Action::Since, &Action::Interrupt]);
        assert_eq!(blocks[1].steps[1].lines, 14..15);
    }

    #[test]
    fn what_cannot_be_run_is_said() {
        for (text, said) in [
            ("```console\n$ true\n", "not closed"),
            ("```console,stay\n$ true\n```\n", "`stay`"),
            ("```console\n```\n", "empty"),
            ("```console\nout\n```\n", "whose output"),
            ("```console,stays\n$ true\n```\n", "name the terminal"),
            (
                "<!-- bound: late: 1 s or more -->\ntext\n```console\n$ true\n```\n",
                "no console block",
            ),
            ("<!-- bound: late: 1 s -->\n```console\n$ true\nlate 2 s\n```\n", "or more"),
            ("<!-- bound: late: 1 s or more -->\n```console\n$ true\n```\n", "these words"),
            (
                "<!-- bound: late: 1 s or more -->\n\n```console\n$ true\nlate 9 ms\n```\n",
                "1s or more",
            ),
        ] {
            let (_, problem) = blocks(text).expect_err(text);
            assert!(problem.contains(said), "{problem}");
        }
    }
}
