//! demo
mod oracle;
fn main() {}
