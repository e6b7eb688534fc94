//! See `keyfence_fuzz::imports`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::imports(data));
