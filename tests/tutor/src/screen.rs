//! Standard output: colour where it is a terminal that wants it, and a closed one is no error.

use std::fmt;
use std::io::{self, Write};
use std::time::Instant;

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

/// Standard output.
pub struct Screen {
    out: AutoStream<io::Stdout>,
    start: Instant,
    closed: bool,
}

/// Somebody who does something in a demonstration.
#[derive(Clone, Copy)]
pub enum Who {
    Server,
    Kernel,
    Client,
    A,
    B,
    C,
}

impl Who {
    fn look(self) -> (&'static str, AnsiColor) {
        match self {
            Self::Server => ("server", AnsiColor::Cyan),
            Self::Kernel => ("kernel", AnsiColor::Magenta),
            Self::Client => ("client", AnsiColor::Green),
            Self::A => ("client A", AnsiColor::Green),
            Self::B => ("client B", AnsiColor::Yellow),
            Self::C => ("client C", AnsiColor::Blue),
        }
    }
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

impl Screen {
    pub fn new() -> Self {
        Self { out: anstream::stdout(), start: Instant::now(), closed: false }
    }

    /// Is nobody reading any more? Then the error that came of it needs no words.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn put(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        let told = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
        told.map_err(|error| {
            self.closed |= error.kind() == io::ErrorKind::BrokenPipe;
            // A full disk, for instance: then something is lost, and that is an error.
            io::Error::new(error.kind(), format!("write standard output: {error}"))
        })
    }

    pub fn line(&mut self, text: impl fmt::Display) -> io::Result<()> {
        self.put(format_args!("{text}"))
    }

    /// A paragraph: broken between words, so that no line is longer than 80 columns.
    pub fn paragraph(&mut self, text: impl fmt::Display) -> io::Result<()> {
        let text = text.to_string();
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.len() + 1 + word.len() > 80 {
                self.line(&line)?;
                line.clear();
            }
            line += if line.is_empty() { "" } else { " " };
            line += word;
        }
        self.line(line)
    }

    pub fn heading(&mut self, text: impl fmt::Display) -> io::Result<()> {
        self.put(format_args!("{BOLD}{text}{BOLD:#}"))
    }

    /// Starts a timeline: from now on the clock counts.
    pub fn begin(&mut self) {
        self.start = Instant::now();
    }

    /// One line of the timeline: when, who, what.
    pub fn say(&mut self, who: Who, what: impl fmt::Display) -> io::Result<()> {
        let (name, color) = who.look();
        let color = color.on_default();
        let time = self.start.elapsed().as_secs_f64();
        self.put(format_args!("  {DIM}{time:6.3} s{DIM:#}  {color}{name:<8}{color:#}  {what}"))
    }
}
