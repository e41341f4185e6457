//! A server for one client at a time.

fn main() {
    // `small-server --listen 127.0.0.1:0`
    eprintln!("not written yet");
}
