//! The message layer: what holds for every message, well-formed or not. The rules themselves stand in `core/fuzz/src/check`,
//! where the fuzz targets have them from; here they meet generated messages, and the seeds.

mod blank;
#[path = "../../core/fuzz/src/check/mod.rs"]
mod check;
mod generated;
mod limits;
mod moved;
mod properties;
mod rewritten;
