//! Who may have a port: bind(2).

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use lab::ask::wait_for;
use lab::sockets::accept_within;
use lab::wait::patience;
use lab::witness::bits::Events;
use socket2::{Domain, Socket, Type};

use crate::experiments::answer::outcome;
use crate::seen::Seen;

/// C158: it is about what is left of connections, and not about listeners.
pub(super) fn reuse_address(seen: &mut Seen) -> io::Result<()> {
    for (old, new, book) in
        [(true, false, "EADDRINUSE"), (true, true, "0"), (false, true, "EADDRINUSE")]
    {
        let address = leave_time_wait(old)?;
        let again = stream_socket()?;
        again.set_reuse_address(new)?;
        let did = format!(
            "a connection of the old server is in TIME_WAIT (SO_REUSEADDR there: {old}): bind of the \
             new server (SO_REUSEADDR: {new})"
        );
        seen.says(did, outcome(again.bind(&address.into())), book);
    }
    for port in [false, true] {
        let (first, second) = (stream_socket()?, stream_socket()?);
        for socket in [&first, &second] {
            socket.set_reuse_address(true)?;
            socket.set_reuse_port(port)?;
        }
        first.bind(&own_address().into())?;
        first.listen(8)?;
        let shared = second.bind(&first.local_addr()?).and_then(|()| second.listen(8));
        let (options, book) = if port {
            ("SO_REUSEADDR and SO_REUSEPORT", "0")
        } else {
            ("SO_REUSEADDR", "EADDRINUSE")
        };
        let did = format!("a second listener on one port, both with {options}");
        seen.says(did, outcome(shared), book);
    }
    Ok(())
}

/// A server that has closed a connection first and has gone: its port is held by TIME_WAIT.
fn leave_time_wait(reuse: bool) -> io::Result<SocketAddr> {
    let server = stream_socket()?;
    server.set_reuse_address(reuse)?;
    server.bind(&own_address().into())?;
    server.listen(8)?;
    let server: TcpListener = server.into();
    let address = server.local_addr()?;
    let client = TcpStream::connect_timeout(&address, patience())?;
    drop(accept_within(&server, patience())?);
    wait_for(&client, Events::RDHUP)?;
    Ok(address)
}

/// A port of the kernel's choice at an address that no other process uses: nobody else takes the
/// port in between.
fn own_address() -> SocketAddr {
    let [.., high, middle, low] = std::process::id().to_be_bytes();
    (Ipv4Addr::new(127, 64 | (high & 63), middle, low), 0).into()
}

fn stream_socket() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM, None)
}
