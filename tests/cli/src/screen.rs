//! Standard output: colour where it is a terminal that wants it, and a closed one is no error. Or a
//! text, for a page that shows what a person would see.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use anstream::AutoStream;
use anstyle::Style;
use textwrap::{Options, WordSplitter};

/// How wide a paragraph may be, in columns.
pub const COLUMNS: usize = 80;

const BOLD: Style = Style::new().bold();

/// Standard output, or a text.
#[derive(Debug)]
pub struct Screen {
    out: Out,
    closed: bool,
}

#[derive(Debug)]
enum Out {
    Shown(AutoStream<io::Stdout>),
    Kept(AutoStream<Vec<u8>>),
}

impl Default for Screen {
    fn default() -> Self {
        Self { out: Out::Shown(anstream::stdout()), closed: false }
    }
}

impl Screen {
    /// Is nobody reading any more? Then the error that came of it needs no words.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// What is shown by `show`, without colours, as a text.
    ///
    /// # Errors
    ///
    /// Those of `show`.
    pub fn text_of<E>(show: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<String, E> {
        let mut screen = Self { out: Out::Kept(AutoStream::never(Vec::new())), closed: false };
        show(&mut screen)?;
        let Out::Kept(kept) = screen.out else { return Ok(String::new()) };
        Ok(String::from_utf8_lossy(&kept.into_inner()).into_owned())
    }

    /// One line.
    ///
    /// # Errors
    ///
    /// What write(2) says of standard output.
    pub fn line(&mut self, text: impl fmt::Display) -> io::Result<()> {
        let told = match &mut self.out {
            Out::Shown(out) => writeln!(out, "{text}").and_then(|()| out.flush()),
            Out::Kept(out) => writeln!(out, "{text}"),
        };
        told.map_err(|error| {
            self.closed |= error.kind() == io::ErrorKind::BrokenPipe;
            // A full disk, for instance: then something is lost, and that is an error.
            io::Error::new(error.kind(), format!("write standard output: {error}"))
        })
    }

    /// A paragraph: broken between words, so that no line is longer than [`COLUMNS`].
    ///
    /// # Errors
    ///
    /// As [`Screen::line`].
    pub fn paragraph(&mut self, text: impl fmt::Display) -> io::Result<()> {
        self.wrapped("", "", &text.to_string(), COLUMNS)
    }

    /// A text broken between words, with other indents for its first line and the rest; no line is
    /// longer than `columns`, unless a word is.
    ///
    /// # Errors
    ///
    /// As [`Screen::line`].
    pub fn wrapped(
        &mut self,
        first: &str,
        rest: &str,
        text: &str,
        columns: usize,
    ) -> io::Result<()> {
        wrapped(first, rest, text, columns).into_iter().try_for_each(|line| self.line(line))
    }

    /// A line that stands out.
    ///
    /// # Errors
    ///
    /// As [`Screen::line`].
    pub fn heading(&mut self, text: impl fmt::Display) -> io::Result<()> {
        self.line(format_args!("{BOLD}{text}{BOLD:#}"))
    }
}

/// A text broken between words into lines of at most `columns`, unless a word is longer, with other
/// indents for the first line and the rest.
#[must_use]
pub fn wrapped(first: &str, rest: &str, text: &str, columns: usize) -> Vec<String> {
    let options = Options::new(columns)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    let words: Vec<&str> = text.split_whitespace().collect();
    textwrap::wrap(&words.join(" "), options).into_iter().map(Cow::into_owned).collect()
}
