//! One client of an impostor: reads, replies in upper case, keeps what the kernel would not take.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

pub struct Guest {
    stream: TcpStream,
    owed: Vec<u8>,
    ended: bool,
    /// At most so many bytes are written in a turn, by one call.
    pub piece: Option<usize>,
}

/// What one turn came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Something was read and replied to.
    Replied,
    /// There was nothing to read.
    Nothing,
    /// The client has left, or has half-closed and has everything.
    Over,
}

impl Guest {
    /// Whose reads and writes sleep.
    pub fn blocking(stream: TcpStream) -> Self {
        Self { stream, owed: Vec::new(), ended: false, piece: None }
    }

    /// Whose reads and writes do not sleep.
    pub fn nonblocking(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::blocking(stream))
    }

    /// Is something left that the kernel would not take?
    pub fn is_owed(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Sends what is owed, reads once, replies.
    pub fn turn(&mut self, buffer: &mut [u8]) -> Turn {
        self.try_turn(buffer).unwrap_or(Turn::Over)
    }

    fn try_turn(&mut self, buffer: &mut [u8]) -> io::Result<Turn> {
        self.flush()?;
        let mut turn = Turn::Nothing;
        if !self.ended {
            match self.stream.read(buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.owed.extend(buffer[..count].to_ascii_uppercase());
                    if self.piece.is_none() {
                        self.flush()?;
                    }
                    turn = Turn::Replied;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(if self.ended && self.owed.is_empty() { Turn::Over } else { turn })
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.owed.is_empty() {
            let piece = self.piece.unwrap_or(self.owed.len()).min(self.owed.len());
            match self.stream.write(&self.owed[..piece]) {
                Ok(count) => drop(self.owed.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
            if self.piece.is_some() {
                break;
            }
        }
        Ok(())
    }
}

impl AsFd for Guest {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
