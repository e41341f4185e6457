//! What every peer needs: its time limit, its ear for `stop`, its narration, and waits that obey
//! the first two.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

use crate::shown;

/// How long a wait lasts before `stop` is looked at again.
const SLICE: Duration = Duration::from_millis(20);

/// Why a peer ended before its character was satisfied.
pub enum EarlyEnd {
    /// It was asked to, or nobody listens to its narration any more.
    Stopped,
    Failed(io::Error),
}

impl From<io::Error> for EarlyEnd {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl EarlyEnd {
    /// What the other side did wrong.
    pub fn because(kind: ErrorKind, sentence: impl fmt::Display) -> Self {
        Self::Failed(io::Error::new(kind, sentence.to_string()))
    }
}

/// One run of a peer.
pub struct Session<'a> {
    name: &'static str,
    pub address: SocketAddr,
    pub limit: Duration,
    /// When the limit is reached.
    pub end: Instant,
    /// Who wants to know the address that is bound, which the kernel may have chosen.
    pub bound: Option<Sender<SocketAddr>>,
    stop: &'a AtomicBool,
    out: &'a mut dyn Write,
    unheard: bool,
}

impl<'a> Session<'a> {
    pub fn new(
        name: &'static str,
        address: SocketAddr,
        limit: Duration,
        stop: &'a AtomicBool,
        out: &'a mut dyn Write,
    ) -> Self {
        let now = Instant::now();
        // A limit beyond what the clock can count is as good as for ever.
        let end = now.checked_add(limit).unwrap_or(now + Duration::from_secs(u32::MAX.into()));
        Self { name, address, limit, end, bound: None, stop, out, unheard: false }
    }

    /// Something has moved: what is not endless may take as long as it moves on. The limit, counted from
    /// now, is for standing still.
    pub fn moved(&mut self) {
        self.end = Instant::now().checked_add(self.limit).map_or(self.end, |end| end.max(self.end));
    }

    /// Tells one line.
    pub fn say(&mut self, what: impl fmt::Display) {
        let line = format!("{}: {what}\n", self.name);
        let told = self.out.write_all(line.as_bytes()).and_then(|()| self.out.flush());
        self.unheard |= told.is_err();
    }

    /// Tells the address that is bound now.
    pub fn has_bound(&self, address: SocketAddr) {
        if let Some(bound) = &self.bound {
            // Whoever wanted to know may have gone.
            let _ = bound.send(address);
        }
    }

    /// A failed call: `connect 127.0.0.1:9: ECONNREFUSED: Connection refused`.
    pub fn failed(&self, call: &str, error: &io::Error) -> EarlyEnd {
        let words = match error.raw_os_error().map(Errno::from_raw) {
            Some(errno) => format!("{errno:?}: {}", errno.desc()),
            None => error.to_string(),
        };
        EarlyEnd::because(error.kind(), format_args!("{call} {}: {words}", self.address))
    }

    /// The limit is reached and the reply has not come.
    pub fn late(&self, what: &str) -> EarlyEnd {
        let limit = shown::duration(self.limit);
        EarlyEnd::because(ErrorKind::TimedOut, format_args!("{what} within {limit}"))
    }

    /// Waits until `socket` is ready for any of `events`, or has an error; no flags at `until`.
    pub fn wait(
        &self,
        socket: &impl AsFd,
        events: PollFlags,
        until: Instant,
    ) -> Result<PollFlags, EarlyEnd> {
        let mut entries = [PollFd::new(socket.as_fd(), events)];
        self.wait_any(&mut entries, until)?;
        // None is an answer with bits that nix has no name for: POLLRDHUP, when it was asked for.
        Ok(entries[0].revents().unwrap_or(events))
    }

    /// Waits until any entry has an answer, or `until`.
    pub fn wait_any(&self, entries: &mut [PollFd<'_>], until: Instant) -> Result<(), EarlyEnd> {
        loop {
            if self.unheard || self.stop.load(Ordering::Relaxed) {
                return Err(EarlyEnd::Stopped);
            }
            let left = until.min(self.end).saturating_duration_since(Instant::now());
            let slice = left.min(SLICE).as_nanos().div_ceil(1_000_000);
            let timeout = u16::try_from(slice).map_or(PollTimeout::MAX, PollTimeout::from);
            match poll(entries, timeout) {
                Ok(0) if left.is_zero() => return Ok(()),
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(self.failed("poll", &errno.into())),
            }
        }
    }

    /// Does nothing until the limit, or until the other side ends the connection: true if it did.
    pub fn stay(&self, stream: &TcpStream) -> Result<bool, EarlyEnd> {
        // Unread replies keep the socket readable: only a FIN, an RST or an error may wake us.
        let fin = PollFlags::from_bits_retain(libc::POLLRDHUP);
        Ok(!self.wait(stream, fin, self.end)?.is_empty())
    }

    /// Connects without sleeping in connect(2), so that `stop` is heard meanwhile.
    pub fn connect(&self) -> Result<TcpStream, EarlyEnd> {
        let failed = |error: io::Error| self.failed("connect", &error);
        let domain = Domain::for_address(self.address);
        let socket = Socket::new(domain, Type::STREAM.nonblocking(), None).map_err(failed)?;
        match socket.connect(&self.address.into()) {
            Err(error) if error.raw_os_error() == Some(Errno::EINPROGRESS as i32) => {
                if self.wait(&socket, PollFlags::POLLOUT, self.end)?.is_empty() {
                    let limit = shown::duration(self.limit);
                    let error = io::Error::other(format!("no answer within {limit}"));
                    return Err(failed(error));
                }
                socket.take_error().and_then(|error| error.map_or(Ok(()), Err)).map_err(failed)?;
            }
            other => other.map_err(failed)?,
        }
        socket.set_tcp_nodelay(true).map_err(failed)?;
        Ok(socket.into())
    }

    /// Connects and says so.
    pub fn connect_aloud(&mut self) -> Result<TcpStream, EarlyEnd> {
        let stream = self.connect()?;
        let address = self.address;
        self.say(format_args!("connected to {address}"));
        Ok(stream)
    }

    /// Sends what the kernel takes at once: 0 if nothing.
    pub fn send_some(&self, mut stream: &TcpStream, bytes: &[u8]) -> Result<usize, EarlyEnd> {
        match stream.write(bytes) {
            Err(error) if later(&error) => Ok(0),
            other => other.map_err(|error| self.failed("write", &error)),
        }
    }

    /// Reads what there is: `None` if nothing yet, 0 at the end of stream.
    pub fn read_some(
        &self,
        mut stream: &TcpStream,
        buffer: &mut [u8],
    ) -> Result<Option<usize>, EarlyEnd> {
        match stream.read(buffer) {
            Err(error) if later(&error) => Ok(None),
            other => other.map(Some).map_err(|error| self.failed("read", &error)),
        }
    }

    /// Sends all of `bytes`.
    pub fn send(&self, stream: &TcpStream, mut bytes: &[u8]) -> Result<(), EarlyEnd> {
        while !bytes.is_empty() {
            let sent = self.send_some(stream, bytes)?;
            bytes = &bytes[sent..];
            if sent == 0 && self.wait(stream, PollFlags::POLLOUT, self.end)?.is_empty() {
                return Err(self.late("the server took no more"));
            }
        }
        Ok(())
    }

    /// Sends a short text and says so.
    pub fn send_aloud(&mut self, stream: &TcpStream, text: &str) -> Result<Instant, EarlyEnd> {
        let start = Instant::now();
        self.send(stream, text.as_bytes())?;
        self.say(format_args!("sent {} bytes {text:?}", text.len()));
        Ok(start)
    }

    /// Reads the reply to `text`, says what came and how long after `start`, and compares.
    pub fn reply_aloud(
        &mut self,
        stream: &TcpStream,
        text: &str,
        start: Instant,
    ) -> Result<(), EarlyEnd> {
        let mut reply = vec![0; text.len()];
        let mut got = 0;
        while got < reply.len() {
            match self.read_some(stream, &mut reply[got..])? {
                Some(0) => {
                    let sentence =
                        format!("end of stream after {got} of {} bytes of the reply", reply.len());
                    return Err(EarlyEnd::because(ErrorKind::UnexpectedEof, sentence));
                }
                Some(more) => got += more,
                None if self.wait(stream, PollFlags::POLLIN, self.end)?.is_empty() => {
                    return Err(self.late("no reply"));
                }
                None => {}
            }
        }
        let took = shown::duration(start.elapsed());
        self.say(format_args!("got {got} bytes {} after {took}", shown::text(&reply)));
        if reply == text.as_bytes().to_ascii_uppercase() {
            return Ok(());
        }
        let wanted = text.to_ascii_uppercase();
        Err(EarlyEnd::because(ErrorKind::InvalidData, format_args!("expected {wanted:?}")))
    }

    /// Waits for the end of stream and says so; bytes before it are an error.
    pub fn end_aloud(&mut self, stream: &TcpStream) -> Result<(), EarlyEnd> {
        let mut more = [0; 256];
        loop {
            match self.read_some(stream, &mut more)? {
                Some(0) => break,
                Some(count) => {
                    let came = shown::text(&more[..count]);
                    let sentence = format!("expected the end of stream, got {count} bytes {came}");
                    return Err(EarlyEnd::because(ErrorKind::InvalidData, sentence));
                }
                None if self.wait(stream, PollFlags::POLLIN, self.end)?.is_empty() => {
                    return Err(self.late("no end of stream"));
                }
                None => {}
            }
        }
        self.say("end of stream, closed");
        Ok(())
    }

    /// Sends a FIN and says so.
    pub fn half_close_aloud(&mut self, stream: &TcpStream) -> Result<(), EarlyEnd> {
        stream
            .shutdown(std::net::Shutdown::Write)
            .map_err(|error| self.failed("shutdown", &error))?;
        self.say("half-closed");
        Ok(())
    }
}

/// Nothing wrong, only nothing to be had at the moment.
pub fn later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
