//! See `keyfence_fuzz::prefilter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::prefilter(data));
