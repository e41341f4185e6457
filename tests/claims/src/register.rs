//! The register: every claim, as `register.toml` has it.

use std::collections::BTreeMap;
use std::fmt;

use lab::witness::lie::Lie;
use serde::{Deserialize, Serialize};

use crate::rows::DecidingRow;

/// The file's text, as it was when this was built.
const TEXT: &str = include_str!("../register.toml");

/// The number of the last claim.
pub const LAST: u16 = 222;

/// All that the file holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// What the names `S0` to `S4` and `W1` to `W5` stand for.
    pub texts: BTreeMap<String, String>,
    /// The claims in the order of their numbers.
    #[serde(rename = "claim", default)]
    pub claims: Vec<Claim>,
    /// The programs that the source texts print.
    #[serde(rename = "listing", default)]
    pub listings: Vec<Listing>,
}

/// One claim, and what is known of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// `C01` to the one of [`LAST`].
    pub id: String,
    /// Who says it: a source text, `S0` to `S4`, or where people hear it, `W1` to `W5`; or several with
    /// commas; `-` where none does.
    pub who: String,
    /// The claim, in short.
    pub says: String,
    /// How it stands.
    pub verdict: Verdict,
    /// The statement that is correct.
    pub correct: String,
    /// Where that can be read: a man page, an RFC, a function of the kernel.
    pub source: String,
    /// The name of the experiment that decides it: a few words joined by `-`.
    pub experiment: Option<String>,
    /// The rows of chapter 09's table that decide it, or a part of it. The experiment measures them
    /// before it does what its code says; it may have no code of its own.
    #[serde(default)]
    pub rows: Vec<DecidingRow>,
    /// How the `did` of the observation begins that tells most of this claim; without it, that is the
    /// first one that is compared with the book.
    pub observation: Option<String>,
    /// What the experiment sees if the opposite is true: a clause in the present, which follows a colon.
    #[serde(rename = "refuted-by")]
    pub refuted_by: Option<String>,
    /// How a kernel of which the opposite is true would answer: under these lies the experiment differs.
    #[serde(default)]
    pub lie: Vec<Lie>,
    /// Why no lie can show that: the answer of no call decides it. With an experiment, exactly one of this and
    /// `lie` is given.
    #[serde(rename = "no-lie")]
    pub no_lie: Option<String>,
    /// Why no experiment can decide it. Exactly one of this and `experiment` is given.
    #[serde(rename = "no-experiment")]
    pub no_experiment: Option<String>,
    /// The page and section that tell of it: `06-epoll-lt.md#why`.
    pub page: Option<String>,
    /// Markdown for the chapter's box on this claim, where the page says more than `correct`. A claim
    /// has a box if some page includes `claims/c80.md`.
    #[serde(rename = "box")]
    pub in_box: Option<String>,
}

/// A program that a source text prints: what happens to who compiles and runs it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Which of the source texts prints it: `S1`; or several with commas.
    pub who: String,
    /// What it is: `echo server with select`.
    pub name: String,
    /// What happens when it is compiled as printed.
    pub compiles: String,
    /// What is wrong with it once it has been made to compile.
    #[serde(default)]
    pub bugs: Vec<Bug>,
}

/// Something wrong in a listing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// What the program does wrong.
    pub bug: String,
    /// How that was shown, and what was seen.
    pub shown: String,
    /// A claim that tells of the same matter: `C52`.
    pub claim: Option<String>,
    /// The page and section with the way that is right: `04-nonblocking-io.md#why`.
    pub page: Option<String>,
}

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is so.
    True,
    /// It is not so.
    False,
    /// It was so on another or older system.
    Outdated,
    /// It is so only with a condition that it does not name.
    Nuanced,
    /// The source text announces it and then does not give it, or gives nothing where it matters.
    Missing,
}

impl Verdict {
    /// All, in the order in which they are counted.
    pub const ALL: [Self; 5] =
        [Self::True, Self::Nuanced, Self::False, Self::Outdated, Self::Missing];

    /// The word for a reader, in lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Outdated => "outdated",
            Self::Nuanced => "half true",
            Self::Missing => "missing",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A part of the register: claims of one matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterSection {
    /// Its heading.
    pub title: &'static str,
    /// Its id in the book.
    pub id: &'static str,
    /// The numbers of its first and last claim.
    pub numbers: (u16, u16),
}

/// All sections; each number is in one of them.
pub const SECTIONS: [RegisterSection; 15] = [
    RegisterSection { title: "Background, and select", id: "select", numbers: (1, 37) },
    RegisterSection { title: "poll", id: "poll", numbers: (38, 54) },
    RegisterSection { title: "epoll: its calls and events", id: "epoll", numbers: (55, 93) },
    RegisterSection {
        title: "epoll: level- and edge-triggered",
        id: "triggers",
        numbers: (94, 108),
    },
    RegisterSection {
        title: "What makes a descriptor ready",
        id: "readiness",
        numbers: (109, 126),
    },
    RegisterSection { title: "Non-blocking connect", id: "nonblocking", numbers: (127, 141) },
    RegisterSection { title: "connect, its errors, and ports", id: "connect", numbers: (142, 158) },
    RegisterSection { title: "epoll: threads and processes", id: "threads", numbers: (159, 170) },
    RegisterSection { title: "epoll: edges, ends, and nesting", id: "ends", numbers: (171, 177) },
    RegisterSection {
        title: "Files, terminals, pipes, timers, and signals",
        id: "descriptors",
        numbers: (178, 186),
    },
    RegisterSection {
        title: "How fine a wait is, and what it costs",
        id: "costs",
        numbers: (187, 190),
    },
    RegisterSection {
        title: "Listeners, the accept queue, and ports",
        id: "listeners",
        numbers: (191, 197),
    },
    RegisterSection {
        title: "What a write and a read mean, and the end",
        id: "streams",
        numbers: (198, 206),
    },
    RegisterSection {
        title: "Modes, options, signals, UDP, and tests of a connect",
        id: "options",
        numbers: (207, 213),
    },
    RegisterSection { title: "Rust's std, and mio", id: "rust", numbers: (214, LAST) },
];

impl Claim {
    /// Its number: 80 for `C80`; 0 if the id has another form.
    #[must_use]
    pub fn number(&self) -> u16 {
        number(&self.id).unwrap_or(0)
    }
}

impl RegisterSection {
    /// Its claims, in their order.
    pub fn claims(self, register: &Register) -> impl Iterator<Item = &Claim> {
        let (first, last) = self.numbers;
        register.claims.iter().filter(move |claim| (first..=last).contains(&claim.number()))
    }
}

impl Register {
    /// Who says it, in words: `S1 (a long article on ...), S3 (notes on ...)`.
    #[must_use]
    pub fn who(&self, claim: &Claim) -> String {
        if claim.who == "-" {
            return "none of the texts".to_owned();
        }
        let name = |short: &str| match self.texts.get(short) {
            Some(text) => format!("{short} ({text})"),
            None => short.to_owned(),
        };
        claim.who.split(", ").map(name).collect::<Vec<_>>().join(", ")
    }

    /// The claim of this number.
    #[must_use]
    pub fn claim(&self, number: u16) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.number() == number)
    }
}

/// The number that a person means with `C80`, `c80`, `80` or `080`.
#[must_use]
pub fn number(typed: &str) -> Option<u16> {
    let digits = typed.strip_prefix(['C', 'c']).unwrap_or(typed);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// How an id is written: `C05`, `C80`, `C109`.
#[must_use]
pub fn id(number: u16) -> String {
    format!("C{number:02}")
}

/// Reads the register as it was when this was built.
///
/// # Errors
///
/// The line that cannot be understood, and why.
pub fn read() -> Result<Register, toml::de::Error> {
    parse(TEXT)
}

/// The claims that rest on this experiment, and no others: each experiment's process asks for its own,
/// and most of the time of reading is saved.
///
/// # Errors
///
/// As [`read`].
pub fn resting_on(experiment: &str) -> Result<Vec<Claim>, toml::de::Error> {
    let line = format!("\nexperiment = \"{experiment}\"\n");
    let parts = TEXT.split("\n[[").filter_map(|part| part.strip_prefix("claim]]\n"));
    parts.filter(|part| part.contains(&line)).map(toml::from_str).collect()
}

/// Reads a register.
///
/// # Errors
///
/// The line that cannot be understood, and why.
pub fn parse(text: &str) -> Result<Register, toml::de::Error> {
    toml::from_str(text)
}
