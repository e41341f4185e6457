//! The predictions, printed.

fn main() {
    println!("fresh OUT\nadded IN|OUT\nfull IN\ntaken OUT");
}
