//! The registrar (RFC 3261 §10.3): a UAS for REGISTER, and the location service that it fills.

mod limits;
mod location;
mod register;

pub use limits::Limits;
pub use location::{Binding, Location, address_of_record};

use register::Refusal;

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::endpoint::Arrival;
use crate::error::Limit;
use crate::message::{Phrase, Uri, UriBuf};
use crate::stack::Context;
use crate::tag::Tag;
use crate::timer::TimerId;

/// How long a registrar is willing to bind, and how much. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A requested time below this (and below an hour, RFC 3261 §10.3 step 7) is answered with 423. 60.
    pub min_expires: u32,
    /// The time for a contact that asks for none. 3,600.
    pub default_expires: u32,
    /// A longer requested time is shortened to this. 86,400.
    pub max_expires: u32,
    /// Bounds on what peers can make it hold.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self { min_expires: 60, default_expires: 3_600, max_expires: 86_400, limits: Limits::default() }
    }
}

/// A binding that was made or is gone. Refreshing one is no change.
#[derive(Clone, Debug)]
pub enum Change {
    /// A contact was bound to an address-of-record that it was not bound to before.
    Bound {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The contact.
        contact: UriBuf,
    },
    /// A binding was removed, or its time was over.
    Unbound {
        /// `user@host`.
        address_of_record: Box<str>,
        /// The contact.
        contact: UriBuf,
    },
}

/// The registrar core.
#[derive(Clone, Debug)]
pub struct Core {
    settings: Settings,
    location: Location,
    /// When the next binding ends.
    timer: Option<TimerId>,
}

impl Core {
    /// A registrar with no bindings.
    pub fn new(settings: Settings) -> Self {
        Self { settings, location: Location::new(settings.limits.addresses_of_record), timer: None }
    }

    /// The bindings.
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// Takes a REGISTER for a domain of ours and answers it; what it changed. `owns` says which addresses-of-record are the
    /// domain's.
    pub fn request<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        arrival: Arrival,
        owns: impl Fn(&Context<'_, E>, Uri<'_>) -> bool,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let to = arrival.request.to_header().map(|to| to.uri);
        let name = match to {
            // An address-of-record is a SIP or SIPS URI (§10.3 step 3, RFC 4475 §3.3.4).
            None => Err(Refusal::Invalid(Phrase::BAD_RECIPIENT)),
            Some(uri) if !uri.is_sip() => Err(Refusal::Invalid(Phrase::RECIPIENT_OF_OTHER_SCHEME)),
            Some(uri) if owns(cx, uri) => address_of_record(uri).ok_or(Refusal::NotFound),
            _ => Err(Refusal::NotFound),
        };
        let outcome =
            self.register(cx.now(), cx.config().limits.message.header_section, &arrival.request, name, &mut changes);
        match outcome {
            Err(Refusal::Full) => cx.refused(Limit::ADDRESSES_OF_RECORD),
            Err(Refusal::TooMany) => cx.refused(Limit::BINDINGS),
            _ => {}
        }
        let response = match outcome {
            Ok(name) => self.success(cx.now(), &arrival.request, &name),
            Err(refusal) => refusal.response(&arrival.request),
        };
        cx.answer(arrival, response);
        self.keep_time(cx);
        changes
    }

    /// This core's timer has fired: what has ended.
    pub fn timer<E>(&mut self, cx: &mut Context<'_, E>) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some((name, ended)) = self.location.expire(cx.now()) {
            for binding in ended {
                changes.push(Change::Unbound { address_of_record: Box::from(&*name), contact: binding.contact });
            }
        }
        self.keep_time(cx);
        changes
    }

    /// Keeps the one timer at the end of the next binding.
    fn keep_time<E>(&mut self, cx: &mut Context<'_, E>) {
        match self.location.deadline() {
            Some(at) if self.timer.is_some_and(|timer| cx.rearm(timer, at)) => {}
            Some(at) => self.timer = Some(cx.arm(at, Tag::NONE)),
            None => {
                if let Some(timer) = self.timer.take() {
                    cx.disarm(timer);
                }
            }
        }
    }
}
