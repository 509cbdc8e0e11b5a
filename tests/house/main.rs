//! How the house is built: which module may use which, and how long a file may be. Reads the sources.

mod layers;
mod length;
mod source;
