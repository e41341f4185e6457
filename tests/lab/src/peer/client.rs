//! A client of the course's servers, with every wait bounded.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::socket::{MsgFlags, send};
use socket2::{Domain, SockRef, Socket, Type};
use std::os::fd::AsRawFd;

use crate::limits;
use crate::wait::{Late, patience};

/// More bytes than this before the end of a stream are taken for a stream without one.
const MOST_REST: usize = 64 << 20;

/// Less than this in three times [`patience`] is a stream that only goes on so as not to end.
const TRICKLE: usize = 1 << 20;

/// What a server must reply to `bytes`: the same, with ASCII a-z turned into A-Z.
#[must_use]
pub fn upper(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_uppercase()
}

/// `count` bytes in which a lost, doubled or misplaced piece shows: every value from 0 to 250 in
/// turn, a period that no buffer's size is a multiple of.
#[must_use]
pub fn pattern(count: usize) -> Vec<u8> {
    let turn: Vec<u8> = (0..=250).collect();
    let mut bytes = turn.repeat(count.div_ceil(turn.len()));
    bytes.truncate(count);
    bytes
}

/// A connection to a server. Every call waits at most [`patience`], unless a method says otherwise.
/// A bound that is reached is told as [`Late`], never as the `EAGAIN` by which the kernel tells it.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    patience: Duration,
}

/// Bytes on their way: see [`Client::send_meanwhile`].
#[derive(Debug)]
pub struct Sending(JoinHandle<io::Result<()>>);

impl Sending {
    /// Waits until all are sent.
    ///
    /// # Errors
    ///
    /// As [`Client::send`].
    pub fn end(self) -> io::Result<()> {
        self.0.join().unwrap_or_else(|_| Err(io::Error::other("the sending thread panicked")))
    }
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    ///
    /// What connect(2) says; [`Late`] after [`patience`].
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let connected = TcpStream::connect_timeout(&address, patience());
        Self::take_over(connected.map_err(late_connect)?)
    }

    /// Connects with small buffers, 4 KiB asked for each way: `SO_SNDBUF` and `SO_RCVBUF` of
    /// socket(7), set before the connect so that the window is small too.
    ///
    /// # Errors
    ///
    /// As [`Client::connect`].
    pub fn connect_small(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_recv_buffer_size(4096)?;
        socket.set_send_buffer_size(4096)?;
        socket.connect_timeout(&address.into(), patience()).map_err(late_connect)?;
        Self::take_over(socket.into())
    }

    /// The other side of a program that has connected to a listener of ours.
    ///
    /// # Errors
    ///
    /// What setsockopt(2) says.
    pub fn of(stream: TcpStream) -> io::Result<Self> {
        Self::take_over(stream)
    }

    fn take_over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let mut client = Self { stream, patience: patience() };
        client.be_patient_for(patience())?;
        Ok(client)
    }

    /// Gives every later call another bound: `SO_RCVTIMEO` and `SO_SNDTIMEO`, socket(7).
    ///
    /// # Errors
    ///
    /// What setsockopt(2) says.
    pub fn be_patient_for(&mut self, patience: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(patience))?;
        self.stream.set_write_timeout(Some(patience))?;
        self.patience = patience;
        Ok(())
    }

    /// The kernel tells with `EAGAIN` that a bound of ours was reached: that is told as it is.
    fn late(&self, error: &io::Error, what: &str, done: usize, of: Option<usize>) -> io::Error {
        let of = of.map_or(String::new(), |of| format!("of {of} "));
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                Late::error(format!("{what} within {:?}: {done} {of}bytes", self.patience))
            }
            kind => io::Error::new(kind, format!("{error}, after {done} {of}bytes")),
        }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    ///
    /// What send(2) says; [`Late`] when the server takes nothing for [`patience`].
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.stream.write(&bytes[sent..]) {
                Ok(count) => sent += count,
                // With a timeout set, a stopped and continued process gets it too: signal(7).
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let bytes = bytes.len();
                    return Err(self.late(&error, "nothing more was taken", sent, Some(bytes)));
                }
            }
        }
        Ok(())
    }

    /// Sends all of `bytes` on a thread of its own, while this one reads; then half-closes if
    /// `half_close`.
    ///
    /// # Errors
    ///
    /// That no descriptor or thread is to be had.
    pub fn send_meanwhile(&self, bytes: Vec<u8>, half_close: bool) -> io::Result<Sending> {
        let mut sender = Self { stream: self.stream.try_clone()?, patience: self.patience };
        let sending = limits::thread(move || {
            sender.send(&bytes)?;
            if half_close { sender.half_close() } else { Ok(()) }
        })?;
        Ok(Sending(sending))
    }

    /// Sends what the kernel takes at once, and returns how much that was: at most `bytes`.
    ///
    /// # Errors
    ///
    /// What send(2) says, but for `EAGAIN`, which is 0.
    pub fn send_without_waiting(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match send(self.stream.as_raw_fd(), bytes, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL)
        {
            Ok(count) => Ok(count),
            Err(nix::errno::Errno::EAGAIN) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Sends one urgent (out-of-band) byte: `MSG_OOB`, send(2).
    ///
    /// # Errors
    ///
    /// What send(2) says.
    pub fn send_urgent(&mut self, byte: u8) -> io::Result<()> {
        SockRef::from(&self.stream).send_out_of_band(&[byte]).map(drop)
    }

    /// Reads exactly `count` bytes.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` with the number that came when the stream ends first; [`Late`] with the same
    /// when the next byte does not come within [`patience`].
    pub fn receive(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        let mut got = 0;
        while got < count {
            match self.stream.read(&mut bytes[got..]) {
                Ok(0) => {
                    let text = format!("end of stream after {got} of {count} bytes");
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
                }
                Ok(more) => got += more,
                // With a timeout set, a stopped and continued process gets it too: signal(7).
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(self.late(&error, "nothing more came", got, Some(count)));
                }
            }
        }
        Ok(bytes)
    }

    /// Sends `bytes` and reads as many: a request and its reply.
    ///
    /// # Errors
    ///
    /// As [`Client::send`] and [`Client::receive`].
    pub fn ask(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.send(bytes)?;
        self.receive(bytes.len())
    }

    /// Reads to the end of the stream.
    ///
    /// # Errors
    ///
    /// `ECONNRESET`; [`Late`] when nothing comes for [`patience`]; a sentence when more and more
    /// comes, and no end: after 64 MiB, or after three times [`patience`] in which it only trickled.
    pub fn receive_rest(&mut self) -> io::Result<Vec<u8>> {
        let (mut start, mut before) = (Instant::now(), 0);
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(bytes),
                Ok(count) => bytes.extend(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let came = "nothing more came, and no end of stream";
                    return Err(self.late(&error, came, bytes.len(), None));
                }
            }
            let mut trickles = false;
            if start.elapsed() > patience() * 3 {
                // A slow machine is no failure: what goes on at a pace comes to its end.
                trickles = bytes.len() - before < TRICKLE;
                (start, before) = (Instant::now(), bytes.len());
            }
            if bytes.len() > MOST_REST || trickles {
                let text = format!("no end of the stream after {} more bytes", bytes.len());
                return Err(io::Error::other(text));
            }
        }
    }

    /// Does nothing at all come within `window`, neither a byte nor an end?
    ///
    /// # Errors
    ///
    /// What recv(2) says of anything but bytes, an end and a timeout.
    pub fn hears_nothing_for(&mut self, window: Duration) -> io::Result<bool> {
        self.stream.set_read_timeout(Some(window))?;
        let mut byte = [0];
        let heard = loop {
            match self.stream.peek(&mut byte) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                heard => break heard,
            }
        };
        self.stream.set_read_timeout(Some(self.patience))?;
        match heard {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Sends a FIN and keeps reading: shutdown(2) with `SHUT_WR`.
    ///
    /// # Errors
    ///
    /// `ENOTCONN` when the connection is gone.
    pub fn half_close(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Ends the connection with an RST: `SO_LINGER` of zero, then close; socket(7).
    ///
    /// # Errors
    ///
    /// What setsockopt(2) says.
    pub fn reset(self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }

    /// The socket, for what this type has no method for.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

/// std tells the end of its own time limit without an errno.
fn late_connect(error: io::Error) -> io::Error {
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::TimedOut, None) => {
            Late::error(format!("no connection within {patience:?}", patience = patience()))
        }
        _ => error,
    }
}
