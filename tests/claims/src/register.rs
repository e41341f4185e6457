//! The register: every claim, as `register.toml` has it.

use serde::Deserialize;

/// The file's text, as it was when this was built.
const TEXT: &str = include_str!("../register.toml");

/// All that the file holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The claims in the order of their numbers.
    #[serde(rename = "claim", default)]
    pub claims: Vec<Claim>,
}

/// One claim, and what is known of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// `C01` to `C158`.
    pub id: String,
    /// Which of the source texts says it: `S0` to `S4`, or several with commas.
    pub who: String,
    /// The claim, in short.
    pub says: String,
    /// How it stands.
    pub verdict: Verdict,
    /// The statement that is correct.
    pub correct: String,
    /// Where that can be read: a man page, an RFC, a function of the kernel.
    pub source: String,
    /// The experiment that decides it: [`crate::experiments::Experiment::name`].
    pub experiment: Option<String>,
    /// Why no experiment can decide it. Exactly one of this and `experiment` is given.
    pub no_experiment: Option<String>,
    /// The page and section that tell of it: `06-epoll-lt.md#why`.
    pub page: Option<String>,
}

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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
    /// The source text announces it and then does not give it.
    Missing,
}

/// Reads the register.
///
/// # Errors
///
/// The line that cannot be understood, and why.
pub fn read() -> Result<Register, toml::de::Error> {
    toml::from_str(TEXT)
}
