#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| citadel_sdk::fuzz::signature(bytes));
