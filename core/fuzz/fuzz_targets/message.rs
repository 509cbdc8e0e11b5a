//! `cargo +nightly fuzz run message`: the target `message`. On stable Rust it runs the files that it is given.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sansip_fuzz::Target::Message.run(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    sansip_fuzz::replay(Some(sansip_fuzz::Target::Message))
}
