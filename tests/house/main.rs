//! How the house is built: which module may use which, how long a file may be, and that no refusal of a builder is swallowed. Reads
//! the sources.

mod layers;
mod length;
mod refusals;
mod source;
mod threads;
