//! JSON with one observation a line: the containers around the observations are broken, each
//! observation stands on a line of its own. So a difference between two recordings shows what was
//! observed, and nothing else.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// A value as JSON whose containers are broken down to `depth`; the deeper ones stay on one line.
///
/// # Errors
///
/// What cannot be JSON: a map with keys that are no text.
pub fn text(value: &impl Serialize, depth: usize) -> io::Result<String> {
    let mut bytes = Vec::new();
    let lines = Lines { broken: depth, depth: 0, empty: true };
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, lines))
        .map_err(io::Error::other)?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// How the text is laid out.
struct Lines {
    /// Containers of this depth and above are broken.
    broken: usize,
    /// In how many containers we are.
    depth: usize,
    /// Has the container nothing in it so far?
    empty: bool,
}

impl Lines {
    fn open(&mut self, out: &mut (impl io::Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        out.write_all(bracket)
    }

    fn close(&mut self, out: &mut (impl io::Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        let breaks = self.depth <= self.broken && !self.empty;
        self.depth -= 1;
        self.empty = false;
        if breaks {
            self.line(out)?;
        }
        out.write_all(bracket)
    }

    fn element(&mut self, out: &mut (impl io::Write + ?Sized), first: bool) -> io::Result<()> {
        self.empty = false;
        if !first {
            out.write_all(b",")?;
        }
        if self.depth <= self.broken { self.line(out) } else { Ok(()) }
    }

    fn line(&self, out: &mut (impl io::Write + ?Sized)) -> io::Result<()> {
        write!(out, "\n{:width$}", "", width = 2 * self.depth)
    }
}

impl Formatter for Lines {
    fn begin_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.element(out, first)
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.element(out, first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(if self.depth <= self.broken { b": " } else { b":" })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text;

    #[test]
    fn each_observation_has_its_line() {
        let value = json!({"a": [{"did": [1, 2], "saw": {}}, {}], "b": [], "c": 1});
        let expected = "{\n  \"a\": [\n    {\"did\":[1,2],\"saw\":{}},\n    {}\n  ],\n  \
                        \"b\": [],\n  \"c\": 1\n}\n";
        assert_eq!(text(&value, 2).expect("JSON"), expected);
        assert_eq!(text(&value, 0).expect("JSON").lines().count(), 1);
    }
}
