//! How many connections one port can have: in a network where the kernel can choose one local port only.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use lab::namespace::Network;
use lab::rig::option;
use lab::sockets::accept_within;
use lab::wait::patience;
use libc::{IP_BIND_ADDRESS_NO_PORT, IPPROTO_IP};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::experiments::answer::outcome;
use crate::seen::Seen;

/// The only local port that there is.
const PORT: u16 = 40_000;
/// Where servers listen.
const SERVERS: [u16; 4] = [7001, 7002, 7003, 7004];

/// C197: a connection is four numbers; a port is used again as long as one of the others differs.
pub(super) fn many_connections(seen: &mut Seen) -> io::Result<()> {
    Network::with_loopback().only_local_port(PORT).enter()?;
    let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let servers = SERVERS.map(listen).into_iter().collect::<io::Result<Vec<_>>>()?;
    let mut kept = Vec::new();
    for server in &servers[..3] {
        let client = stream()?;
        let answer = outcome(client.connect(&server.local_addr()?.into()));
        let port = server.local_addr()?.port();
        seen.says(format!("one local port to choose from: connect to port {port}"), answer, "0");
        seen.expect("its local port", local(&client)?, PORT);
        kept.push(client);
    }
    let again = stream()?;
    let first = servers[0].local_addr()?;
    let answer = outcome(again.connect(&first.into()));
    seen.says(format!("a second connect to port {}", first.port()), answer, "EADDRNOTAVAIL");

    let other = stream()?;
    option::set(&other, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)?;
    other.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0)).into())?;
    let did = format!("a connect from 127.0.0.2 to port {}", first.port());
    seen.says(did, outcome(other.connect(&first.into())), "0");
    seen.expect("its local port", local(&other)?, PORT);

    let last = servers[3].local_addr()?;
    let bound = stream()?;
    let own = SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let did = "bind to 127.0.0.1 and any port, before a connect";
    seen.says(did, outcome(bound.bind(&own)), "EADDRINUSE");
    option::set(&bound, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)?;
    seen.says("the same with IP_BIND_ADDRESS_NO_PORT", outcome(bound.bind(&own)), "0");
    let did = format!("and its connect to port {}", last.port());
    seen.says(did, outcome(bound.connect(&last.into())), "0");

    // The server's side: each of its connections has the listener's port.
    for _ in 0..2 {
        let accepted = accept_within(&servers[0], patience())?;
        let port = accepted.local_addr()?.port();
        seen.expect("the server's end of one of its two connections: its port", port, SERVERS[0]);
    }
    Ok(())
}

fn stream() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM, None)
}

fn local(socket: &Socket) -> io::Result<u16> {
    let address = socket.local_addr()?.as_socket();
    Ok(address.map_or(0, |address| address.port()))
}
