//! Laws that hold for every plan of faults: agreement, idleness, schedule.

mod any_plan;
mod captures;
#[path = "../../core/fuzz/src/endpoint/mod.rs"]
mod endpoint;
mod explored;
mod farm;
mod floods;
mod found;
mod laws;
mod model;
mod planted;
mod probing;
mod routing;
mod scripts;
mod shrunk;
mod streams;
mod texts;
mod weather;
mod worse;
