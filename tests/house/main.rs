//! How the house is built: which module may use which, how long a file may be, that no refusal of a builder is swallowed, and that each
//! command has an example. Reads
//! the sources.

mod cores;
mod examples;
mod layers;
mod length;
mod presence;
mod refusals;
mod source;
mod threads;
