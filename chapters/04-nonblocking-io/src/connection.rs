//! One client: its socket, what it is still owed, and whether it has finished asking.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

/// Backpressure: a connection that owes this many bytes reads no more until some have gone.
pub const QUEUE_LIMIT: usize = 64 * 1024;

// ANCHOR: connection
/// A client on a non-blocking socket. While it owes nothing it holds no buffer.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// The output queue: replies that the kernel would not take yet, oldest byte first.
    output: VecDeque<u8>,
    /// The client has half-closed: it will send nothing more, but may still read.
    end_of_stream: bool,
}
// ANCHOR_END: connection

/// What one [`Connection::advance`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The buffer came back full: there may be more to read.
    More,
    /// The read came back short: that was all, unless a FIN, an error or urgent data is behind it.
    Short,
    /// There is nothing to do until the kernel reports something new.
    Blocked,
    /// The client asked for nothing more and has been sent everything: close it.
    Finished,
}

impl Connection {
    /// Takes over an accepted socket and makes it non-blocking: on Linux it does not inherit that
    /// from the listener, accept(2).
    ///
    /// # Errors
    ///
    /// What ioctl(2) says of `FIONBIO`.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, output: VecDeque::new(), end_of_stream: false })
    }

    // ANCHOR: interest
    /// Is there reason to ask whether the socket is readable? Not after the end of stream, and not
    /// while the client leaves too many replies unread.
    #[must_use]
    pub fn wants_read(&self) -> bool {
        !self.end_of_stream && self.output.len() < QUEUE_LIMIT
    }

    /// Is there reason to ask whether the socket is writable? Only while something is owed: an idle
    /// socket is writable all the time.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        !self.output.is_empty()
    }
    // ANCHOR_END: interest

    // ANCHOR: advance
    /// Does what can be done without sleeping: sends what is owed, reads once, replies.
    ///
    /// `buffer` is working space that all connections share, at least one byte.
    ///
    /// # Errors
    ///
    /// What read(2) and write(2) say: the connection is lost, and nothing can be sent any more.
    pub fn advance(&mut self, buffer: &mut [u8]) -> io::Result<Step> {
        self.flush()?;
        let mut step = Step::Blocked;
        if self.wants_read() {
            match self.stream.read(buffer) {
                Ok(0) => self.end_of_stream = true,
                Ok(count) => {
                    step = if count == buffer.len() { Step::More } else { Step::Short };
                    self.reply(&mut buffer[..count])?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        if self.end_of_stream && self.output.is_empty() { Ok(Step::Finished) } else { Ok(step) }
    }
    // ANCHOR_END: advance

    // ANCHOR: queue
    /// Sends the reply at once as far as the kernel takes it, and queues the rest.
    fn reply(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        bytes.make_ascii_uppercase();
        // Order: behind a queue, a reply waits its turn.
        let sent = if self.output.is_empty() { send(&mut self.stream, bytes)? } else { 0 };
        self.output.extend(&bytes[sent..]);
        Ok(())
    }

    /// Sends from the output queue until it is empty or the kernel would block.
    fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            let sent = send(&mut self.stream, self.output.as_slices().0)?;
            if sent == 0 {
                return Ok(());
            }
            self.output.drain(..sent);
        }
        // Nothing owed, nothing held.
        self.output.shrink_to_fit();
        Ok(())
    }
    // ANCHOR_END: queue
}

// ANCHOR: send
/// Writes until all is sent or the kernel would block; returns how much it took.
///
/// To stop earlier would be a mistake under edge-triggered epoll: the kernel owes a report of room
/// to those who met a full buffer, and a write that was taken whole has not.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}
// ANCHOR_END: send

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
