#![no_main]

#[path = "../checks/resource.rs"]
mod resource;

libfuzzer_sys::fuzz_target!(|data: &[u8]| resource::check(data));
