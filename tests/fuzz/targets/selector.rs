#![no_main]

#[path = "../checks/selector.rs"]
mod selector;

libfuzzer_sys::fuzz_target!(|data: &[u8]| selector::check(data));
