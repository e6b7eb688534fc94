//! See `keyfence_fuzz::index`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::index(data));
