//! Torture messages: those that the RFCs print (RFC 4475, 5118, 3665, 3261), and our own with the same traps.
//!
//! The RFCs' stand in a folder of their own with an `index.tsv`: `SANSIP_TORTURE`, else `../shared/torture` beside the
//! workspace. Where the folder is not, the tests say so and go on with our own, which stand in `own/`: its `index.tsv` says of
//! each which message of the RFCs has the same trap, and what is expected of both.

mod digest;
mod inspect;
mod lenient;
mod printed;
mod reactions;
mod reading;
mod registrar;
mod rfc3665;
mod samples;
mod unreadable;
