//! See `keyfence_fuzz::instructions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::instructions(data));
