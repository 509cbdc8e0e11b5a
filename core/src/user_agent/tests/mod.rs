//! Two user agents on one clock, or one against words on the wire.

mod accounts;
mod admitting;
mod again;
mod asking;
mod bindings;
mod calling;
mod carrying;
mod closing;
mod composing;
mod demanding;
mod exchanges;
mod fail_over;
mod flows;
mod guarding;
mod junk;
mod keeping_alive;
mod keys;
mod leaving;
mod limiting;
mod lone;
mod modifying;
mod moments;
mod moving;
mod networks;
mod offers;
mod older_notifiers;
mod outbound;
mod overtaking;
mod owned;
mod pair;
mod proving;
mod referring;
mod refreshing;
mod refreshing_after_reliable;
mod refreshing_by_update;
mod registering;
mod registering_again;
mod registrars_word;
mod reliable;
mod repair;
mod replacing;
mod rewriting;
mod saying;
mod serving;
mod session_timers;
mod standing;
mod streams;
mod subscribing;
mod targets;
mod text;
mod transferring;
mod updating;
mod waiting;
mod withholding;

/// Counts what is alive besides registrations.
fn left_over(agent: &super::UserAgent) -> super::Census {
    super::Census { registrations: 0, ..agent.user().census() }
}
