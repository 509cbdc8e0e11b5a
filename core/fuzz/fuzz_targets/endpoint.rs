//! `cargo +nightly fuzz run endpoint`: the target `endpoint`. On stable Rust it runs the files that it is given.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| sansip_fuzz::Target::Endpoint.run(data));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    sansip_fuzz::replay(Some(sansip_fuzz::Target::Endpoint))
}
