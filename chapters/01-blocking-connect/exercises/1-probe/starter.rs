//! Which of these addresses are open, closed, silent, or out of reach?

fn main() {
    // `probe 127.0.0.1:7001 127.0.0.1:7002`
    eprintln!("not written yet");
}
