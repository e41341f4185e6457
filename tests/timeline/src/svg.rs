//! A small writer of SVG: whole numbers, no blank lines, so that a page can hold it as it is.

use std::fmt::Write as _;

/// An SVG in the making.
#[derive(Debug, Default)]
pub struct Svg {
    body: String,
}

/// What makes a path a line where no style sheet does.
const LINE: &str = "fill=\"none\" stroke=\"currentColor\"";

/// Which end of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its end.
    End,
}

impl Svg {
    /// Text with its baseline at `y`.
    pub fn text(&mut self, x: i32, y: i32, anchor: Anchor, class: &str, text: &str) {
        let anchor = if anchor == Anchor::End { " text-anchor=\"end\"" } else { "" };
        let text = escaped(text);
        self.line(format_args!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>"
        ));
    }

    /// A straight line.
    pub fn stroke(&mut self, class: &str, from: (i32, i32), to: (i32, i32)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.line(format_args!("<path class=\"{class}\" {LINE} d=\"M{x1} {y1}L{x2} {y2}\"/>"));
    }

    /// A horizontal arrow, its head at `to`.
    pub fn arrow(&mut self, class: &str, y: i32, from: i32, to: i32) {
        let back = if to > from { to - 6 } else { to + 6 };
        let (up, down) = (y - 3, y + 3);
        self.line(format_args!(
            "<path class=\"{class}\" {LINE} d=\"M{from} {y}H{to}M{back} {up}L{to} {y}L{back} {down}\"/>"
        ));
    }

    /// A rectangle: filled so much, in tenths, and with a border or without.
    pub fn rectangle(
        &mut self,
        class: &str,
        (x, y): (i32, i32),
        (width, height): (i32, i32),
        filled: u8,
        border: bool,
    ) {
        let stroke = if border { " stroke=\"currentColor\"" } else { "" };
        self.line(format_args!(
            "<rect class=\"{class}\"{stroke} fill-opacity=\"0.{filled}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{line}");
    }

    /// The whole picture. `title` and `description` are its text alternative. The colours are the
    /// page's: the classes say what a thing is, and the book's style sheet how it looks; what stands
    /// here is for a reader that has no style sheet.
    #[must_use]
    pub fn finish(
        self,
        name: &str,
        title: &str,
        description: &str,
        width: i32,
        height: i32,
    ) -> String {
        let (title, description) = (escaped(title), escaped(description));
        let Self { body } = self;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"timeline\" role=\"img\" \
             aria-labelledby=\"fig-{name}-title fig-{name}-desc\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"13\" \
             fill=\"currentColor\" stroke-width=\"1\">\n\
             <title id=\"fig-{name}-title\">{title}</title>\n\
             <desc id=\"fig-{name}-desc\">{description}</desc>\n\
             {body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
