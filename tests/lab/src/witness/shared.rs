//! What the tracing thread writes and everybody else reads.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::record::{Arguments, Event, Outcome, Record, Thread, What};

/// A record holds at most so many events. A subject that makes more goes on, but what it does is no
/// longer written down, only counted.
const MOST_EVENTS: usize = 500_000;

/// The record while it grows.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) record: Record,
    /// The processes that have not ended.
    pub(super) running: Vec<i32>,
    /// All threads of the subject itself are stopped by a signal, and not yet continued.
    pub(super) stopped: bool,
    /// How the subject itself ended: the raw status of wait(2).
    pub(super) status: Option<i32>,
    /// The witness has nothing left to see.
    pub(super) over: bool,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = look(&mut state);
        drop(state);
        self.changed.notify_all();
        seen
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
        let kernel = nix::sys::utsname::uname();
        self.with(|state| {
            state.record.began = began;
            state.record.program = program;
            if let Ok(names) = kernel {
                state.record.architecture = names.machine().to_string_lossy().into_owned();
                state.record.kernel = names.release().to_string_lossy().into_owned();
            }
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

    /// Adds an event; returns its place, or `None` beyond the limit.
    pub(super) fn add(&self, event: Event) -> Option<usize> {
        self.with(|state| {
            if state.record.events.len() >= MOST_EVENTS {
                state.record.left_out += 1;
                return None;
            }
            state.record.events.push(event);
            Some(state.record.events.len() - 1)
        })
    }

    /// A copy of the arguments of the call at `place`.
    pub(super) fn arguments(&self, place: Option<usize>) -> Option<Arguments> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &state.record.events.get(place?)?.what {
            What::Call(call) => Some(call.arguments.clone()),
            _ => None,
        }
    }

    pub(super) fn complete(
        &self,
        place: Option<usize>,
        arguments: Arguments,
        outcome: Outcome,
        returned: u64,
    ) {
        self.with(|state| {
            let event = place.and_then(|place| state.record.events.get_mut(place));
            if let Some(Event { what: What::Call(call), .. }) = event {
                call.arguments = arguments;
                call.outcome = outcome;
                call.returned = Some(returned);
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
        self.with(|state| state.status = Some(status));
    }
}
