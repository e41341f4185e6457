//! Reads and writes in pieces, so that what it asks for stands in memory and not in a register: readv(2) and
//! writev(2) for its first client, recvmsg(2) and sendmsg(2) for its second, and so on in turn.

use std::convert::Infallible;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, recvmsg, sendmsg};

/// One client after the other.
pub fn one_at_a_time(listener: &TcpListener) -> io::Result<Infallible> {
    loop {
        serve(&listener.accept()?.0, read, write)?;
        serve(&listener.accept()?.0, receive, send)?;
    }
}

/// The first three bytes, then the others.
type Pieces<'a> = (&'a mut [u8; 3], &'a mut [u8; 61]);

fn serve(
    client: &TcpStream,
    read: fn(&TcpStream, Pieces<'_>) -> io::Result<usize>,
    write: fn(&TcpStream, &[u8]) -> io::Result<usize>,
) -> io::Result<()> {
    let (mut first, mut others) = ([0; 3], [0; 61]);
    loop {
        let count = read(client, (&mut first, &mut others))?;
        if count == 0 {
            return Ok(());
        }
        let mut reply = [&first[..], &others].concat();
        reply.truncate(count);
        reply.make_ascii_uppercase();
        let mut left = &reply[..];
        while !left.is_empty() {
            left = &left[write(client, left)?..];
        }
    }
}

fn read(mut client: &TcpStream, (first, others): Pieces<'_>) -> io::Result<usize> {
    client.read_vectored(&mut [IoSliceMut::new(first), IoSliceMut::new(others)])
}

fn write(mut client: &TcpStream, reply: &[u8]) -> io::Result<usize> {
    let (one, rest) = reply.split_at(1);
    client.write_vectored(&[IoSlice::new(one), IoSlice::new(rest)])
}

fn receive(client: &TcpStream, (first, others): Pieces<'_>) -> io::Result<usize> {
    let mut pieces = [IoSliceMut::new(first), IoSliceMut::new(others)];
    let received = recvmsg::<()>(client.as_raw_fd(), &mut pieces, None, MsgFlags::empty())?;
    Ok(received.bytes)
}

fn send(client: &TcpStream, reply: &[u8]) -> io::Result<usize> {
    let (one, rest) = reply.split_at(1);
    let pieces = [IoSlice::new(one), IoSlice::new(rest)];
    Ok(sendmsg::<()>(client.as_raw_fd(), &pieces, &[], MsgFlags::empty(), None)?)
}
