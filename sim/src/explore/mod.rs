//! Every placement of a few faults on a call.
