//! Who is behind a descriptor: the peers' addresses tell.

use lab::witness::record::{Descriptor, Object};

use crate::recording::{Did, PeerAction};

/// How a descriptor is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Its number and who is behind it: `4 (ann)`. For a terminal.
    Full,
    /// Its number: `4`. For a figure.
    Short,
    /// Who is behind it, and no number that another run could have otherwise: `ann`.
    Plain,
}

/// The peers of a recording, by address.
#[derive(Debug, Clone, Copy)]
pub struct PeerNames<'a>(pub &'a [PeerAction]);

impl PeerNames<'_> {
    /// The peer at an address.
    #[must_use]
    pub fn at(&self, address: &str) -> Option<&str> {
        let is_there = |done: &&PeerAction| {
            matches!(&done.did, Did::Connects(its) | Did::Listens(its) | Did::Refuses(its)
                | Did::Drops(its) if its == address)
        };
        self.0.iter().find(is_there).map(|done| done.who.as_str())
    }

    /// The peer behind a descriptor.
    #[must_use]
    pub fn behind(&self, descriptor: &Descriptor) -> Option<&str> {
        match &descriptor.object {
            Object::Connection { peer, .. } => self.at(peer),
            _ => None,
        }
    }

    /// A descriptor, written.
    #[must_use]
    pub fn write(&self, descriptor: &Descriptor, form: Form) -> String {
        let number = descriptor.number;
        match (form, self.behind(descriptor)) {
            (Form::Full, Some(name)) => format!("{number} ({name})"),
            (Form::Plain, Some(name)) => name.to_owned(),
            (Form::Full | Form::Short, _) => number.to_string(),
            (Form::Plain, None) => match &descriptor.object {
                Object::Listener(_) => "the listener".to_owned(),
                Object::Connection { .. } => "a connection".to_owned(),
                Object::Socket => "a socket".to_owned(),
                Object::Epoll => "epoll".to_owned(),
                Object::Other(name) => name.clone(),
                Object::Unknown => "?".to_owned(),
            },
        }
    }

    /// An address, written: by the peer's name where it is one's.
    #[must_use]
    pub fn write_address(&self, address: &str, form: Form) -> String {
        match (self.at(address), form) {
            (Some(name), _) => name.to_owned(),
            (None, Form::Full | Form::Short) => address.to_owned(),
            (None, Form::Plain) => "its address".to_owned(),
        }
    }
}
