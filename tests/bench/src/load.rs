//! The load generator: a closed loop of small messages, every reply compared byte by byte.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::SockRef;

/// A server that is silent for so long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// So many connections are made before the next reply is waited for: fewer than any backlog, so
/// that no SYN is dropped and sent again a second later.
const CHUNK: usize = 100;

/// Requests and the replies that they must get.
pub struct Messages {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Messages {
    /// 1024 different messages of `size` bytes, any byte value, the same in every run.
    pub fn new(size: usize) -> Self {
        // xorshift: its numbers only have to differ.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        let pairs = (0..1024).map(|_| {
            let request: Vec<u8> = (0..size).map(|_| byte()).collect();
            let reply = request.to_ascii_uppercase();
            (request, reply)
        });
        Self { pairs: pairs.collect() }
    }

    fn pair(&self, number: usize) -> &(Vec<u8>, Vec<u8>) {
        &self.pairs[number % self.pairs.len()]
    }
}

/// One client. Its socket is a blocking one with a time limit, so that no call waits for ever; in
/// the busy loop it is only read when it is readable.
pub struct LoadClient<'a> {
    stream: TcpStream,
    messages: &'a Messages,
    /// The number of the message that is on its way.
    number: usize,
    /// How many bytes of its reply have come.
    received: usize,
}

impl<'a> LoadClient<'a> {
    /// Connects. `number` is where in the messages this client begins.
    pub fn connect(address: SocketAddr, messages: &'a Messages, number: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(address).map_err(explain_connect)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // Closed is reset: no TIME_WAIT keeps the port from the next slice.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        Ok(Self { stream, messages, number, received: 0 })
    }

    /// Sends the next message.
    pub fn send(&mut self) -> io::Result<()> {
        self.number += 1;
        self.received = 0;
        self.stream.write_all(&self.messages.pair(self.number).0).map_err(explain)
    }

    /// Reads once and compares. Has the whole reply come?
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let count = match self.stream.read(buffer) {
            Ok(0) => return Err(io::Error::other("the server closed a connection")),
            result => result.map_err(explain)?,
        };
        let reply = &self.messages.pair(self.number).1;
        let end = self.received + count;
        if reply.get(self.received..end) != Some(&buffer[..count]) {
            return Err(io::Error::other(format!(
                "wrong reply to message {}: the server is not fit to be measured",
                self.number
            )));
        }
        self.received = end;
        Ok(end == reply.len())
    }

    /// Sleeps until the whole reply has come.
    pub fn receive_all(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        while !self.receive(buffer)? {}
        Ok(())
    }
}

/// `count` connections, each of which has got one reply and now rests. That one reply shows that
/// the server has accepted them, and that what it keeps for them is not only what it starts with.
pub fn connect(
    address: SocketAddr,
    messages: &Messages,
    count: usize,
) -> io::Result<Vec<LoadClient<'_>>> {
    let mut buffer = [0; 16 * 1024];
    let mut clients = Vec::with_capacity(count);
    while clients.len() < count {
        let first = clients.len();
        for number in first..count.min(first + CHUNK) {
            clients.push(LoadClient::connect(address, messages, number * 7)?);
        }
        for client in &mut clients[first..] {
            client.send()?;
        }
        for client in &mut clients[first..] {
            client.receive_all(&mut buffer)?;
        }
    }
    Ok(clients)
}

/// Busy clients: each sends, waits for its reply, compares, sends the next.
pub struct Load<'a> {
    clients: Vec<LoadClient<'a>>,
    epoll: Epoll,
    timeout: EpollTimeout,
}

impl<'a> Load<'a> {
    /// Lets each of `clients` send its first message. With `spin` the generator never sleeps: then
    /// the server under test does not pay for waking it, and it is never late. It needs a core of
    /// its own for that.
    pub fn start(mut clients: Vec<LoadClient<'a>>, spin: bool) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        for (index, client) in clients.iter_mut().enumerate() {
            epoll.add(&client.stream, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
            client.send()?;
        }
        let timeout = if spin { EpollTimeout::ZERO } else { EpollTimeout::from(100_u8) };
        Ok(Self { clients, epoll, timeout })
    }

    /// Goes on for `duration`; returns how many right replies came and how long it really took.
    pub fn run(&mut self, duration: Duration) -> io::Result<(u64, Duration)> {
        let mut events = [EpollEvent::empty(); 256];
        let mut buffer = [0; 16 * 1024];
        let mut replies = 0;
        let start = Instant::now();
        let mut last_reply = start;
        loop {
            let ready = match self.epoll.wait(&mut events, self.timeout) {
                Ok(count) => &events[..count],
                Err(Errno::EINTR) => &[],
                Err(errno) => return Err(errno.into()),
            };
            for event in ready {
                let index = usize::try_from(event.data()).map_err(io::Error::other)?;
                let client = &mut self.clients[index];
                if client.receive(&mut buffer)? {
                    replies += 1;
                    client.send()?;
                }
            }
            let now = Instant::now();
            if now - start >= duration {
                return Ok((replies, now - start));
            }
            if !ready.is_empty() {
                last_reply = now;
            } else if now - last_reply > PATIENCE {
                return Err(io::Error::other(format!("no reply for {PATIENCE:?}")));
            }
        }
    }
}

fn explain(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock => io::Error::other(format!("no reply for {PATIENCE:?}")),
        _ => error,
    }
}

fn explain_connect(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::AddrNotAvailable => io::Error::other(
            "no local port left: wait a minute for old connections, or use fewer with --idle and \
             --rest, or widen net.ipv4.ip_local_port_range",
        ),
        _ if error.raw_os_error() == Some(Errno::EMFILE as i32) => {
            io::Error::other("no descriptor left: raise `ulimit -n`, or use fewer with --idle")
        }
        _ => error,
    }
}
