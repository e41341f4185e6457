//! What the tracing thread writes and everybody else reads.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::kernel;

use super::record::{Arguments, Call, Event, Record, Thread, What};

/// A record holds at most so many events. A subject that makes more goes on, but what it does is no
/// longer written down, only counted.
const MOST_EVENTS: usize = 500_000;

/// So many descriptors at most that select and poll were called with: a program that polls 1,000 of
/// them fills the memory with far fewer events.
const MOST_DESCRIPTORS: usize = 2_000_000;

/// The record while it grows.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) record: Record,
    /// How many descriptors the calls of select and poll name together.
    descriptors: usize,
    /// The processes that have not ended.
    pub(super) running: Vec<i32>,
    /// All threads of the subject itself are stopped by a signal, and not yet continued.
    pub(super) stopped: bool,
    /// How the subject itself ended: the raw status of wait(2).
    pub(crate) status: Option<i32>,
    /// The witness has nothing left to see.
    pub(super) over: bool,
}

impl State {
    fn leaves_out(&mut self) -> bool {
        let full = self.record.events.len() >= MOST_EVENTS || self.descriptors >= MOST_DESCRIPTORS;
        self.record.left_out += u64::from(full);
        full
    }
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut state)
    }

    /// The subject has ended, or the witness: what others wait for.
    fn tell(&self, change: impl FnOnce(&mut State)) {
        self.with(change);
        self.changed.notify_all();
    }

    pub(super) fn over(&self) {
        self.tell(|state| state.over = true);
    }

    /// Waits until `done` says so, at most for `bound`; returns its last answer.
    pub(super) fn wait<T>(
        &self,
        bound: Duration,
        mut done: impl FnMut(&State) -> Option<T>,
    ) -> Option<T> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (state, _) = self
            .changed
            .wait_timeout_while(state, bound, |state| done(state).is_none())
            .unwrap_or_else(PoisonError::into_inner);
        done(&state)
    }

    pub(super) fn begin(&self, began: u64, program: String) {
        let kernel = kernel::numbers();
        self.with(|state| {
            state.record.began = began;
            state.record.program = program;
            std::env::consts::ARCH.clone_into(&mut state.record.architecture);
            state.record.kernel = kernel;
        });
    }

    pub(super) fn add_thread(&self, thread: Thread, process: i32) {
        self.with(|state| {
            state.record.threads.push(thread);
            if !state.running.contains(&process) {
                state.running.push(process);
            }
        });
    }

    /// Counts an event that is not written down, if there is no room for it.
    pub(super) fn leaves_out(&self) -> bool {
        self.with(State::leaves_out)
    }

    /// Adds an event; returns its place, or `None` beyond the limit.
    pub(super) fn add(&self, event: Event) -> Option<usize> {
        self.with(|state| {
            if state.leaves_out() {
                return None;
            }
            state.descriptors += descriptors(&event);
            state.record.events.push(event);
            Some(state.record.events.len() - 1)
        })
    }

    /// Changes the call at `place`. Whoever looks at the record sees it as it was or as it becomes.
    pub(super) fn complete(&self, place: usize, change: impl FnOnce(&mut Call)) {
        self.with(|state| {
            let event = state.record.events.get_mut(place);
            if let Some(Event { what: What::Call(call), .. }) = event {
                change(call);
            }
        });
    }

    pub(super) fn process_ended(&self, process: i32) {
        self.with(|state| state.running.retain(|running| *running != process));
    }

    pub(super) fn subject_stopped(&self, stopped: bool) {
        self.with(|state| state.stopped = stopped);
    }

    pub(super) fn subject_ended(&self, status: i32) {
        self.tell(|state| state.status = Some(status));
    }
}

/// How many descriptors a call of select or poll names, going in.
fn descriptors(event: &Event) -> usize {
    let What::Call(call) = &event.what else { return 0 };
    match &call.arguments {
        Arguments::Poll { entries, .. } => entries.len(),
        Arguments::Select { before, .. } => {
            let sets = [&before.read, &before.write, &before.except];
            sets.into_iter().flatten().map(Vec::len).sum()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::bits::Events;
    use super::super::record::{CallOutcome, Descriptor, Object, PollEntry, Timeout};
    use super::*;

    #[test]
    fn calls_with_many_descriptors_fill_a_record_too() {
        let descriptor = Descriptor { number: 3, opening: 1, object: Object::Unknown };
        let entry = PollEntry { descriptor, events: Events::IN, revents: Events::default() };
        let entries = vec![entry; MOST_DESCRIPTORS / 4];
        let shared = Shared::default();
        let places = [(); 6].map(|()| {
            let arguments = Arguments::Poll { entries: entries.clone(), timeout: Timeout::Forever };
            let call = Call {
                name: "poll".to_owned(),
                arguments,
                outcome: CallOutcome::Pending,
                returned: None,
                injected: false,
            };
            shared.add(Event { at: 0, thread: 1, what: What::Call(call) })
        });
        assert_eq!(places, [Some(0), Some(1), Some(2), Some(3), None, None]);
        assert!(shared.leaves_out());
        assert_eq!(shared.with(|state| state.record.left_out), 3);
    }
}
