//! The protocol of all servers: bytes come in, the same bytes go back with a-z turned into A-Z.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// How many bytes a server reads at once.
pub const BUFFER: usize = 16 * 1024;

// ANCHOR: answer
/// Reads once and writes the whole reply; returns how many bytes came, 0 at the end of stream.
///
/// Both calls may sleep: the read until something comes, the write until the client has read
/// enough of what it was sent before.
///
/// # Errors
///
/// What read(2) and write(2) say: `ECONNRESET` or `EPIPE` when the client has gone.
pub fn answer(mut client: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let count = loop {
        match client.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result?,
        }
    };
    let reply = &mut buffer[..count];
    reply.make_ascii_uppercase();
    client.write_all(reply)?;
    Ok(count)
}
// ANCHOR_END: answer
