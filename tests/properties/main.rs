//! What holds for every plan of faults: agreement, idleness, schedule.

mod any_plan;
mod explored;
mod laws;
mod planted;
mod streams;
