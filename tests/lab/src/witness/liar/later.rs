//! A call that is made late: its thread sleeps first, in a nanosleep(2) that takes the call's place, and is then
//! sent back to make it. Only that thread is held: the witness goes on, and so do the other threads.

use std::time::Duration;

use super::super::calls;
use super::super::memory::Memory;

/// The registers of the call that is put off.
#[derive(Debug)]
pub(in super::super) struct Later {
    registers: calls::Registers,
}

/// Below the stack pointer of x86-64 lie 128 bytes that a function may use (its ABI's red zone); what is below
/// them is nobody's.
const BELOW_THE_STACK: u64 = 256;

/// Lets the thread sleep instead of making the call before which it is stopped. `None` if nothing can be written
/// to its stack, or if it has been killed.
pub(super) fn begin(tid: i32, time: Duration) -> Option<Later> {
    let registers = calls::Registers::of(tid)?;
    let place = registers.stack().checked_sub(BELOW_THE_STACK)? & !15;
    let mut timespec = [0; 16];
    timespec[..8].copy_from_slice(&time.as_secs().to_ne_bytes());
    timespec[8..].copy_from_slice(&u64::from(time.subsec_nanos()).to_ne_bytes());
    if !Memory(tid).write(place, &timespec) {
        return None;
    }
    calls::set_argument(tid, 0, place)?;
    calls::set_argument(tid, 1, 0)?;
    calls::set_number(tid, libc::SYS_nanosleep)?;
    Some(Later { registers })
}

impl Later {
    /// Sends the thread, which is stopped behind its sleep, back to the call. A signal that has ended the sleep
    /// is delivered first, and the call is then made earlier than it should be.
    pub(in super::super) fn make_the_call(&self, tid: i32) {
        self.registers.again(tid);
    }
}
