//! A full house under select: an fd_set has bits for the descriptors 0 to 1023 only.

use lab::finding::Check;
use lab::peer::Client;
use lab::subject::{Server, raise_own_descriptor_limit};
use lab::wait::QUIET;

use crate::program;

#[test]
fn a_thousand_clients_are_served_and_the_next_ones_wait_until_somebody_leaves() {
    let check = Check {
        did: "connected 1,040 clients to a server that waits in select",
        expected: "at least 1,000 are served; the others wait, neither served nor thrown out",
        perhaps: "What happens when accept would return descriptor 1024?",
        read: "03-select.md#full",
    };
    check.require(check.value(raise_own_descriptor_limit()) >= 2048, "`ulimit -Hn` is below 2048");
    let server = check.value(Server::start(program()));
    let mut clients: Vec<Client> =
        (0..1040).map(|_| check.value(Client::connect(server.address()))).collect();
    for client in &mut clients {
        check.value(client.send(b"room?"));
    }
    let mut waiting = clients.split_off(1000);
    for client in &mut clients {
        check.equal(&check.value(client.receive(5)), &b"ROOM?".to_vec());
    }
    let last = waiting.last_mut().expect("forty came after the thousand");
    check.require(check.value(last.hears_nothing_for(QUIET)), "the last one heard something");
    check.value(server.process().rests());
    check.equal(&check.value(clients[999].ask(b"and me?")), &b"AND ME?".to_vec());
    // 40 leave, and all who waited come in.
    clients.truncate(960);
    for client in &mut waiting {
        check.equal(&check.value(client.receive(5)), &b"ROOM?".to_vec());
    }
}
