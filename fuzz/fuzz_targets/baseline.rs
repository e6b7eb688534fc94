//! See `keyfence_fuzz::baseline`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::baseline(data));
