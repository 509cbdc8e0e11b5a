//! `cargo run --release --bin replay -- FILES…`: runs files and folders through the target that each chooses.

fn main() -> std::process::ExitCode {
    sansip_fuzz::replay(None)
}
