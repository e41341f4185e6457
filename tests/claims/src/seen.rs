//! What an experiment saw, beside what the book says it should see.

use std::fmt::{Debug, Display};

use serde::{Deserialize, Serialize};

/// Gathers what one experiment sees. A kernel that differs from the book is no failure: it is noted,
/// and the experiment goes on.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// In the order in which they were seen.
    pub observations: Vec<Observation>,
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// What was done or asked: `select(22, ...) with descriptor 22 readable`.
    pub did: String,
    /// What the kernel did: `0`.
    pub saw: String,
    /// Was that compared with what the book says? If not, it is a note on this machine.
    pub compared: bool,
    /// What the book says instead, if this kernel does something else.
    pub book: Option<String>,
}

impl Seen {
    /// Notes something that the book does not decide: a time, a count, a size of this machine.
    pub fn note(&mut self, did: impl Display, saw: impl Display) {
        self.observations.push(Observation {
            did: did.to_string(),
            saw: saw.to_string(),
            compared: false,
            book: None,
        });
    }

    /// Notes what was seen, and compares how it is written with what the book says: `0`, `EAGAIN`, `IN|OUT`.
    pub fn says(&mut self, did: impl Display, saw: impl Display, book: &str) {
        let saw = saw.to_string();
        let agrees = saw == book;
        self.require(did, saw, book, agrees);
    }

    /// The same with a value that is no word.
    // Most values are numbers, made in the call's own parentheses.
    #[allow(clippy::needless_pass_by_value)]
    pub fn expect<T: PartialEq + Debug>(&mut self, did: impl Display, saw: T, book: T) {
        let agrees = saw == book;
        let book = (!agrees).then(|| plain(&book));
        let (did, saw) = (did.to_string(), plain(&saw));
        self.observations.push(Observation { did, saw, compared: true, book });
    }

    /// Notes what was seen, of which the book only says something in words: `agrees` says whether
    /// it is so.
    pub fn require(
        &mut self,
        did: impl Display,
        saw: impl Display,
        book: impl Display,
        agrees: bool,
    ) {
        let book = (!agrees).then(|| book.to_string());
        let (did, saw) = (did.to_string(), saw.to_string());
        self.observations.push(Observation { did, saw, compared: true, book });
    }

    /// The observation that tells most of a claim: the first that differs from the book; or the
    /// first whose `did` begins with `wanted`; or the first that was compared; or the first.
    #[must_use]
    pub fn telling(&self, wanted: Option<&str>) -> Option<&Observation> {
        let all = &self.observations;
        let first = |is: &dyn Fn(&&Observation) -> bool| all.iter().find(is);
        first(&|one| one.book.is_some())
            .or_else(|| first(&|one| wanted.is_some_and(|wanted| one.did.starts_with(wanted))))
            .or_else(|| first(&|one| one.compared))
            .or(all.first())
    }

    /// Did everything go as the book says?
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.observations.iter().all(|one| one.book.is_none())
    }
}

/// A value for a reader: a word without the quotes that `Debug` puts around it.
fn plain(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let word = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let word = word.filter(|word| !word.is_empty() && !word.contains(['"', '\\']));
    word.map_or_else(|| text.clone(), str::to_owned)
}
