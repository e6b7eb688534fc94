//! See `keyfence_fuzz::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::config(data));
