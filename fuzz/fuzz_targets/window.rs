//! See `keyfence_fuzz::window`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::window(data));
