//! A read or write for fewer bytes than the program has asked for. How many that are stands in a register,
//! or in memory: in the vector of readv(2), or in that of the `struct msghdr` of recvmsg(2).

use super::super::calls;
use super::super::memory::Memory;

/// What was changed, to be put back behind the call: the program relies on it.
#[derive(Debug)]
pub(in super::super) struct Shorter {
    register: Option<(usize, u64)>,
    memory: Vec<(u64, [u8; WORD])>,
}

const WORD: usize = 8;
/// `struct iovec`: an address, then a length.
const IOVEC: u64 = 16;
/// Where `msg_iov` and `msg_iovlen` stand in `struct msghdr`: behind a name and its length.
const MSG_IOV: u64 = 16;
const MSG_IOVLEN: u64 = 24;
/// The register of a length, or of a vector's.
const LENGTH: usize = 2;
/// `IOV_MAX` of writev(2).
const MOST_PIECES: u64 = 1024;

/// Shortens the call before which the thread is stopped; `None` if it is as short already, or if its vector
/// stands where nothing can be written.
pub(super) fn begin(tid: i32, name: &str, registers: [u64; 6], most: u64) -> Option<Shorter> {
    let memory = Memory(tid);
    match name {
        "read" | "recvfrom" | "write" | "sendto" => {
            let length = registers[LENGTH];
            if length <= most {
                return None;
            }
            calls::set_argument(tid, LENGTH, most)?;
            Some(Shorter { register: Some((LENGTH, length)), memory: Vec::new() })
        }
        "readv" | "writev" => {
            let count = registers[LENGTH];
            let (pieces, piece) = cut(memory, registers[1], count, most)?;
            calls::set_argument(tid, LENGTH, pieces)?;
            Some(Shorter { register: Some((LENGTH, count)), memory: vec![piece] })
        }
        "recvmsg" | "sendmsg" => {
            let header = registers[1];
            let vector = word(memory, header.checked_add(MSG_IOV)?)?;
            let count_at = header.checked_add(MSG_IOVLEN)?;
            let count = word(memory, count_at)?;
            let (pieces, piece) = cut(memory, vector, count, most)?;
            let changed = memory.write(count_at, &pieces.to_ne_bytes());
            let shorter =
                Shorter { register: None, memory: vec![piece, (count_at, count.to_ne_bytes())] };
            if !changed {
                shorter.end(tid);
                return None;
            }
            Some(shorter)
        }
        _ => None,
    }
}

/// Cuts the vector's pieces to `most` bytes in all: how many pieces are left, and what stood where the last of
/// them has its length. `None` if they are as short already, or cannot be read or written.
fn cut(memory: Memory, vector: u64, count: u64, most: u64) -> Option<(u64, (u64, [u8; WORD]))> {
    let mut left = most;
    for at in 0..count.min(MOST_PIECES) {
        let length_at = vector.checked_add(at * IOVEC + WORD as u64)?;
        let length = word(memory, length_at)?;
        if length > left {
            let changed = memory.write(length_at, &left.to_ne_bytes());
            return changed.then_some((at + 1, (length_at, length.to_ne_bytes())));
        }
        left -= length;
    }
    None
}

fn word(memory: Memory, address: u64) -> Option<u64> {
    memory.array(address).map(u64::from_ne_bytes)
}

impl Shorter {
    /// Puts everything back; the thread is stopped behind the call.
    pub(super) fn end(self, tid: i32) {
        for (address, bytes) in self.memory {
            Memory(tid).write(address, &bytes);
        }
        if let Some((register, before)) = self.register {
            calls::set_argument(tid, register, before);
        }
    }
}
