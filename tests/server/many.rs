//! Without an fd_set there is no 1024: the limit is that of descriptors, which the server raises.

use lab::finding::Check;
use lab::peer::Client;
use lab::subject::{Launch, raise_own_descriptor_limit};

use crate::program;

#[test]
fn two_thousand_clients_are_served_at_once() {
    let check = Check {
        did: "connected 2,000 clients, all at once, to a server with a soft limit of 256",
        expected: "every one is served, the last as well as the first, twice",
        perhaps: "Is the soft limit of descriptors raised, and every client kept in the wait?",
        read: "05-poll.md#why",
    };
    let limit = check.value(raise_own_descriptor_limit());
    check.require(limit >= 2_200, "`ulimit -Hn` is below 2,200");
    let server = check.value(Launch::new(program()).descriptor_limits(256, limit).server());
    let mut clients: Vec<Client> =
        (0..2000).map(|_| check.value(Client::connect(server.address()))).collect();
    for _ in 0..2 {
        for client in &mut clients {
            check.value(client.send(b"me too"));
        }
        for client in clients.iter_mut().rev() {
            check.equal(&check.value(client.receive(6)), &b"ME TOO".to_vec());
        }
    }
    check.value(server.process().rests());
}
