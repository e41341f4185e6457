//! The same server on tokio: a task for each connection.
//!
//! Why it is fair: argument, listener and first line are the course's; the runtime is the one
//! with a single thread, as all the others have one; a task reads into a buffer of the course's size
//! that it keeps, which is faster than a new one for each read.

use std::convert::Infallible;
use std::io;
use std::net;
use std::process::ExitCode;

use ch02_blocking_server::{BUFFER, ServerArguments};
use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves many clients on one thread with tokio.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7022>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(|listener, _| serve(listener))
}

fn serve(listener: &net::TcpListener) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let listener = listener.try_clone()?;
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (client, _) = listener.accept().await?;
            tokio::spawn(talk(client));
        }
    })
}

async fn talk(mut client: TcpStream) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(count @ 1..) = client.read(&mut buffer).await {
        let reply = &mut buffer[..count];
        reply.make_ascii_uppercase();
        if client.write_all(reply).await.is_err() {
            return;
        }
    }
}
