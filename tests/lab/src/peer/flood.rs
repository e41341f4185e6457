//! A client that never stops: it sends as fast as the server takes, and reads as fast as it replies.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::limits;

/// A flood of requests over one connection, on two threads, until it is dropped.
#[derive(Debug)]
pub struct Flood {
    stream: Arc<TcpStream>,
    replied: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    /// Connects and begins.
    ///
    /// # Errors
    ///
    /// What connect(2) says.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let stream = Arc::new(TcpStream::connect(address)?);
        let replied = Arc::new(AtomicU64::new(0));
        let sender = Arc::clone(&stream);
        let sending = limits::thread(move || {
            let requests = vec![b'f'; 65536];
            // Ends when the stream is shut down, by our Drop or by the server.
            while (&*sender).write_all(&requests).is_ok() {}
        })?;
        let (reader, count) = (Arc::clone(&stream), Arc::clone(&replied));
        let reading = limits::thread(move || {
            let mut buffer = vec![0; 65536];
            while let Ok(more @ 1..) = (&*reader).read(&mut buffer) {
                count.fetch_add(more as u64, Ordering::Relaxed);
            }
        })?;
        Ok(Self { stream, replied, threads: vec![sending, reading] })
    }

    /// How many bytes of replies it has read so far.
    #[must_use]
    pub fn replied(&self) -> u64 {
        self.replied.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        // The server may have closed it already.
        let _ = self.stream.shutdown(Shutdown::Both);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
