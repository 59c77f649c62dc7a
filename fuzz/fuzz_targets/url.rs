#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| citadel_server::fuzz::url(bytes));
