//! The four nodes of RFC 3261 §24.2, each a WebAssembly machine that its host gives datagrams and the time.
//!
//! A host makes a machine with [`boot`], and hands it back with each call. Datagrams lie in one buffer of the machine
//! ([`octets`]), in either direction. Times are nanoseconds, addresses IPv4, and the port is always 5060. `call.mjs`
//! beside this crate is such a host.
#![no_std]
#![expect(unsafe_code, reason = "an export has a name that nobody else in the program may use")]

extern crate alloc;

mod machine;

use alloc::boxed::Box;

pub use machine::Machine;
use sansip::Instant;

/// The deadline of a machine that has none.
const NEVER: u64 = u64::MAX;

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// The host sees a trap.
#[cfg(all(target_family = "wasm", not(test)))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// The machine at `address`: 192.0.2.1 is Alice's phone, .2 atlanta.com, .3 biloxi.com, .4 Bob's phone. None for others.
/// `seed` has to differ from machine to machine.
#[unsafe(no_mangle)]
pub extern "C" fn boot(address: u32, seed: u64) -> Option<Box<Machine>> {
    Machine::new(address, seed).map(Box::new)
}

/// Where datagrams lie: 65,535 octets.
#[unsafe(no_mangle)]
pub extern "C" fn octets(machine: &mut Machine) -> *mut u8 {
    machine.octets.as_mut_ptr()
}

/// A datagram of so many octets has come from `remote`.
#[unsafe(no_mangle)]
pub extern "C" fn receive(machine: &mut Machine, now: u64, remote: u32, length: u32) {
    machine.receive(Instant::from_nanos(now), remote, length as usize);
}

/// Time has passed.
#[unsafe(no_mangle)]
pub extern "C" fn tick(machine: &mut Machine, now: u64) {
    machine.tick(Instant::from_nanos(now));
}

/// When the machine wants [`tick`] next; the largest number if never.
#[unsafe(no_mangle)]
pub extern "C" fn deadline(machine: &Machine) -> u64 {
    machine.deadline().map_or(NEVER, Instant::as_nanos)
}

/// The length of the next datagram that goes out; 0 if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn poll(machine: &mut Machine) -> u32 {
    machine.poll()
}

/// Where the datagram goes that [`poll`] has just given.
#[unsafe(no_mangle)]
pub extern "C" fn destination(machine: &Machine) -> u32 {
    machine.destination
}

/// A phone calls sip:bob@biloxi.com. 0 if this machine cannot do so now; so with the next three.
#[unsafe(no_mangle)]
pub extern "C" fn call(machine: &mut Machine, now: u64) -> u32 {
    u32::from(machine.call(Instant::from_nanos(now)).is_some())
}

/// A phone rings for the call that has come in.
#[unsafe(no_mangle)]
pub extern "C" fn ring(machine: &mut Machine, now: u64) -> u32 {
    u32::from(machine.ring(Instant::from_nanos(now)).is_some())
}

/// A phone answers the call that has come in.
#[unsafe(no_mangle)]
pub extern "C" fn answer(machine: &mut Machine, now: u64) -> u32 {
    u32::from(machine.answer(Instant::from_nanos(now)).is_some())
}

/// A phone hangs up.
#[unsafe(no_mangle)]
pub extern "C" fn hang_up(machine: &mut Machine, now: u64) -> u32 {
    u32::from(machine.hang_up(Instant::from_nanos(now)).is_some())
}

/// 1 if nothing is in progress any more.
#[unsafe(no_mangle)]
pub extern "C" fn is_idle(machine: &Machine) -> u32 {
    u32::from(machine.is_idle())
}
