//! A descriptor before the event that brings it into its state.

use std::any::Any;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use lab::ask::{Answers, Question};

// ANCHOR: prepared
/// A descriptor to ask about, and the event that will bring it into its state.
pub struct Prepared {
    descriptor: OwnedFd,
    at_once: bool,
    event: Box<dyn FnOnce(OwnedFd) -> io::Result<InState>>,
}

/// What there is after the event. All of it stays open until the questions are answered.
pub struct InState {
    /// The descriptor, unless the event was its end.
    pub descriptor: Option<OwnedFd>,
    _kept: Box<dyn Any>,
}

impl Prepared {
    /// Something will happen to `descriptor`: `event` makes it happen, and returns when it has.
    /// What it returns stays open.
    pub fn before<K: Any>(
        descriptor: impl Into<OwnedFd>,
        event: impl FnOnce(&OwnedFd) -> io::Result<K> + 'static,
    ) -> Self {
        let event = Box::new(|descriptor| {
            let kept = Box::new(event(&descriptor)?);
            Ok(InState { descriptor: Some(descriptor), _kept: kept })
        });
        Self { descriptor: descriptor.into(), at_once: false, event }
    }

    /// Nothing will happen to `descriptor`: it is in its state already. `kept` stays open.
    pub fn as_it_is(descriptor: impl Into<OwnedFd>, kept: impl Any) -> Self {
        Self { at_once: true, ..Self::before(descriptor, |_| Ok(kept)) }
    }

    /// `descriptor` will be closed; `kept` stays open.
    pub fn closing(descriptor: impl Into<OwnedFd>, kept: impl Any) -> Self {
        let event = Box::new(|descriptor| {
            drop(descriptor);
            Ok(InState { descriptor: None, _kept: Box::new(kept) })
        });
        Self { descriptor: descriptor.into(), at_once: true, event }
    }

    /// Is an edge-triggered registration made with the question, because no event is to come?
    #[must_use]
    pub fn is_at_once(&self) -> bool {
        self.at_once
    }

    /// Registers, lets it happen, asks.
    ///
    /// # Errors
    ///
    /// What the event fails with; what `epoll_create1(2)` says.
    pub fn ask(self) -> io::Result<Answers> {
        let question =
            if self.at_once { Question::at_once(&self)? } else { Question::before(&self)? };
        let _in_state = self.happen()?;
        Ok(question.ask())
    }

    /// Lets it happen.
    ///
    /// # Errors
    ///
    /// What the event fails with: `ResourceBusy` if it depends on chance, and may be tried again.
    pub fn happen(self) -> io::Result<InState> {
        (self.event)(self.descriptor)
    }
}
// ANCHOR_END: prepared

impl AsRawFd for Prepared {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}
