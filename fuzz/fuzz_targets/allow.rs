//! See `keyfence_fuzz::allow`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::allow(data));
