//! A descriptor, and what is going to happen to it.

use std::any::Any;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use lab::readiness::{Question, Report};

/// What must stay open until all questions are answered.
pub type Kept = Box<dyn Any>;

// ANCHOR: stage
/// A descriptor to ask about, made ready for the event that brings it into its state.
pub struct Stage {
    asked: OwnedFd,
    at_once: bool,
    event: Box<dyn FnOnce(OwnedFd) -> io::Result<Kept>>,
}

impl Stage {
    /// Something will happen to `asked`: `event` makes it happen, and returns when it has.
    /// What it returns stays open.
    pub fn before<K: Any>(
        asked: impl Into<OwnedFd>,
        event: impl FnOnce(&OwnedFd) -> io::Result<K> + 'static,
    ) -> Self {
        let event = Box::new(|asked| {
            let kept = event(&asked)?;
            Ok(Box::new((asked, kept)) as Kept)
        });
        Self { asked: asked.into(), at_once: false, event }
    }

    /// Nothing will happen to `asked`: it is in its state already. `kept` stays open.
    pub fn as_it_is(asked: impl Into<OwnedFd>, kept: impl Any) -> Self {
        Self { at_once: true, ..Self::before(asked, |_| Ok(kept)) }
    }

    /// `asked` will be closed; `kept` stays open.
    pub fn closing(asked: impl Into<OwnedFd>, kept: impl Any) -> Self {
        let event = Box::new(|asked| {
            drop(asked);
            Ok(Box::new(kept) as Kept)
        });
        Self { asked: asked.into(), at_once: true, event }
    }

    /// The number of its descriptor.
    pub fn number(&self) -> RawFd {
        self.asked.as_raw_fd()
    }

    /// Is an edge-triggered registration made with the question, because no event is to come?
    pub fn is_at_once(&self) -> bool {
        self.at_once
    }

    /// Registers, lets it happen, asks.
    pub fn ask(self) -> io::Result<Report> {
        let number = self.number();
        let question =
            if self.at_once { Question::at_once(number)? } else { Question::before(number)? };
        let _kept = self.happen()?;
        Ok(question.ask())
    }

    /// Lets it happen.
    pub fn happen(self) -> io::Result<Kept> {
        (self.event)(self.asked)
    }
}
// ANCHOR_END: stage
