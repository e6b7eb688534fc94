//! See `keyfence_fuzz::words`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::words(data));
