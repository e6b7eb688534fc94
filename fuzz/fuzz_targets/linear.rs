//! See `keyfence_fuzz::linear`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::linear(data));
