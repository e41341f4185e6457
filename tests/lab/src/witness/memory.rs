//! A subject's memory, read and written while the thread that owns the arguments is stopped.

use std::io::{IoSlice, IoSliceMut};

use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::Pid;

/// The memory of a process, named by one of its threads: the first one has none any more when it has
/// ended before the others. What cannot be read is absent, never an error: a subject may pass any
/// pointer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory(pub i32);

impl Memory {
    /// At most `length` bytes from `address`; fewer where the mapping ends.
    pub(super) fn bytes(self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let Ok(base) = usize::try_from(address) else { return Vec::new() };
        if base == 0 || length == 0 {
            return Vec::new();
        }
        let there = [RemoteIoVec { base, len: length }];
        let here = &mut [IoSliceMut::new(&mut bytes)];
        let read = process_vm_readv(Pid::from_raw(self.0), here, &there).unwrap_or(0);
        bytes.truncate(read);
        bytes
    }

    /// Writes these bytes to `address`, as far as the mapping goes: were they all written?
    pub(super) fn write(self, address: u64, bytes: &[u8]) -> bool {
        let Ok(base) = usize::try_from(address) else { return false };
        let there = [RemoteIoVec { base, len: bytes.len() }];
        let written = process_vm_writev(Pid::from_raw(self.0), &[IoSlice::new(bytes)], &there);
        written == Ok(bytes.len())
    }

    /// `N` bytes from `address`, or nothing.
    pub(super) fn array<const N: usize>(self, address: u64) -> Option<[u8; N]> {
        self.bytes(address, N).try_into().ok()
    }

    /// A 32-bit number.
    pub(super) fn number(self, address: u64) -> Option<i32> {
        self.array(address).map(i32::from_ne_bytes)
    }
}
