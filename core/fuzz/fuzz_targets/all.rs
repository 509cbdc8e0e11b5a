//! `cargo +nightly fuzz run all`: every target, chosen by the first octet. On stable Rust it runs the files that it is given.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sansip_fuzz::run(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    sansip_fuzz::replay(None)
}
