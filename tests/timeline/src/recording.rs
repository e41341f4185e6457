//! What one run showed: the witness's record of the program, and what its peers did.

use std::io;

use lab::witness::record::{Bytes, Record};
use serde::{Deserialize, Serialize};

use crate::visible::is_shown;

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recording {
    /// What the run shows, in a few words: `refused`.
    pub name: String,
    /// What the program did.
    pub record: Record,
    /// What the peers did, in the order in which they began.
    pub peers: Vec<PeerAction>,
}

/// Something that a peer has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerAction {
    /// When it began, in nanoseconds since [`Record::began`].
    pub at: u64,
    /// When it was done.
    pub until: u64,
    /// Who: `ann`.
    pub who: String,
    /// What.
    pub did: Did,
}

/// What a peer can have done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// It is an address where somebody listens.
    Listens(String),
    /// It is an address that refuses: bound, and nobody listens.
    Refuses(String),
    /// It is an address where every packet is dropped.
    Drops(String),
    /// It connected to the program, from this address.
    Connects(String),
    /// It accepted a connection of the program.
    Accepts,
    /// It sent so many bytes, and these are the first.
    Sends(u64, Bytes),
    /// It got so many bytes, and these are the first.
    Gets(u64, Bytes),
    /// It waited and heard nothing.
    HearsNothing,
    /// It half-closed: FIN.
    HalfCloses,
    /// It met the end of the stream, and closed.
    MeetsEnd,
    /// Here the scene could not go on; why.
    Fails(String),
}

impl Recording {
    /// The record without what no lane shows, so that it is small enough to be kept.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.record.events.retain(is_shown);
        self
    }

    /// From JSON.
    ///
    /// # Errors
    ///
    /// What serde_json says.
    pub fn from_json(text: &str) -> io::Result<Self> {
        Ok(serde_json::from_str(text)?)
    }
}
