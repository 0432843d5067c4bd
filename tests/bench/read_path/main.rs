//! Reads in process, for callgrind: `read-path READ COUNT`. `tests/bench/instructions.sh` runs it with two
//! counts. The difference between the two is the cost of the reads without that of the start.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a program for measuring"
)]

#[path = "mod.rs"]
mod read_path;

use std::process::ExitCode;

use read_path::{HUNDRED_PODS, METRIC_SELECTOR, OBJECT, THREE_PODS};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [read, count] = arguments.as_slice() else {
        eprintln!("read-path READ COUNT");
        return ExitCode::from(2);
    };
    let pods = format!("labelSelector=app%3Dapi&{METRIC_SELECTOR}");
    let (path, query) = match read.as_str() {
        "object" => (OBJECT, METRIC_SELECTOR),
        "pods-3" => (THREE_PODS, pods.as_str()),
        "pods-100" => (HUNDRED_PODS, pods.as_str()),
        other => {
            eprintln!("no such read: {other} (object, pods-3, pods-100)");
            return ExitCode::from(2);
        }
    };
    let memory = read_path::memory();
    for _ in 0..count.parse::<u32>().expect("a count") {
        std::hint::black_box(read_path::read(&memory, path, query));
    }
    ExitCode::SUCCESS
}
