//! How words, bytes and sets are written, in the three forms that a reader may need.

use lab::witness::record::{Bytes, Descriptor, Sets};

use crate::names::{Form, PeerNames};

/// One side of a call, in the three forms; and the sets of select, if it is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// For a terminal: `read 4 (ann)`.
    pub full: String,
    /// For a figure: `read 4`.
    pub short: String,
    /// The same in every run: `read ann`.
    pub plain: String,
    /// Sets of descriptors, as bits.
    pub sets: Vec<DescriptorSet>,
}

/// A set of select(2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptorSet {
    /// `read`, `write` or `except`.
    pub name: &'static str,
    /// The numbers whose bit is 1.
    pub members: Vec<i32>,
}

impl Words {
    pub(crate) fn of(say: impl Fn(Form) -> String) -> Self {
        Self {
            full: say(Form::Full),
            short: say(Form::Short),
            plain: say(Form::Plain),
            sets: Vec::new(),
        }
    }
}

/// The same words in every form.
impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self::of(|_| text.to_owned())
    }
}

pub(crate) fn list(items: impl Iterator<Item = String>, form: Form) -> String {
    const SHOWN: usize = 8;
    let mut items: Vec<String> = items.collect();
    if items.len() > SHOWN && form != Form::Plain {
        let more = items.len() - SHOWN;
        items.truncate(SHOWN);
        items.push(format!("and {more} more"));
    }
    match form {
        Form::Short => items.join(", "),
        Form::Full => items.iter().map(|item| stuck(item)).collect::<Vec<_>>().join(" "),
        Form::Plain => items.iter().map(|item| format!("[{item}]")).collect::<Vec<_>>().concat(),
    }
}

/// A space at which no line is broken.
pub const STUCK: char = '\u{a0}';

fn stuck(item: &str) -> String {
    format!("[{item}]").replace(' ', STUCK.to_string().as_str())
}

pub(crate) fn sets(sets: &Sets) -> Vec<DescriptorSet> {
    let of = |name, set: &Option<Vec<Descriptor>>| {
        let members = set.as_ref()?.iter().map(|descriptor| descriptor.number).collect();
        Some(DescriptorSet { name, members })
    };
    [of("read", &sets.read), of("write", &sets.write), of("except", &sets.except)]
        .into_iter()
        .flatten()
        .collect()
}

pub(crate) fn plain_sets(sets: &Sets, names: &PeerNames<'_>) -> String {
    let of = |name: &str, set: &Option<Vec<Descriptor>>| {
        let Some(set) = set else { return String::new() };
        let members: Vec<String> = set.iter().map(|d| names.write(d, Form::Plain)).collect();
        format!(" {name} {{{}}}", members.join(", "))
    };
    of("read", &sets.read) + &of("write", &sets.write) + &of("except", &sets.except)
}

/// `6 bytes`, `16,384 bytes`.
#[must_use]
pub fn bytes(count: u64) -> String {
    format!("{} byte{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with commas between its thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// At most a few of the first bytes, quoted.
#[must_use]
pub fn quoted(text: &Bytes, count: u64) -> String {
    const SHOWN: usize = 12;
    let Bytes(text) = text;
    if text.len() <= SHOWN && usize::try_from(count).is_ok_and(|count| count <= text.len()) {
        return format!("\"{text}\"");
    }
    let mut end = text.len().min(SHOWN);
    // Not in the middle of an escape.
    if let Some(at) = text[..end].rfind('\\')
        && end - at < 4
        && at > 0
    {
        end = at;
    }
    format!("\"{}...\"", &text[..end])
}
