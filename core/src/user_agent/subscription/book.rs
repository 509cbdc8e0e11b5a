//! The subscriptions of a user agent, found by their handles and by what their NOTIFYs name (RFC 6665 §4.4.1).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::refer::Refer;
use super::subscribe::Subscribe;
use crate::dialog::{DialogId, DialogKey};
use crate::id::Arena;
use crate::keyed_index::KeyedIndex;
use crate::message::header::Event;
use crate::message::{HeaderId, TagParam};
use crate::time::Instant;
use crate::timer::TimerId;
use crate::user_agent::compose::{Extra, Outgoing};
use crate::user_agent::{AccountId, RequestId, SubscriptionId, SubscriptionKind};

/// The purpose of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// The subscription is kept, and refreshed before it ends.
    Keep,
    /// The subscription is to end: the application does not want it any more, or wanted to be told once (§4.4.3).
    End,
}

/// The name of what is subscribed to: by this a NOTIFY and a SUBSCRIBE match (§8.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventName {
    pub(super) package: Box<str>,
    pub(super) id: Option<Box<str>>,
}

impl EventName {
    /// The name that an Event header has. Its other parameters do not count (§8.2.1).
    pub(super) fn of(event: Event<'_>) -> Self {
        Self { package: event.package.into(), id: event.id().map(Into::into) }
    }

    /// Whether a NOTIFY with this Event is for the subscription: octet by octet, and never if one has an `id` and the other has none.
    pub(super) fn matches(&self, event: Event<'_>) -> bool {
        *self.package == *event.package && self.id.as_deref() == event.id()
    }
}

/// The wishes that a subscription has begun with.
#[derive(Clone, Debug)]
pub(super) enum Terms {
    /// Those of a SUBSCRIBE.
    Subscribe(Box<Subscribe>),
    /// Those of a REFER, and how it is addressed if it makes its dialog.
    Refer(Box<(Outgoing, Refer)>),
}

/// The seconds that are asked for where the notifier has not said how long a subscription lasts.
const INTERVAL: u32 = 3_600;

/// A subscription of ours.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    /// The wishes of the application.
    pub(super) terms: Terms,
    /// Whose subscription it is.
    pub(super) account: AccountId,
    pub(super) event: EventName,
    pub(super) goal: Goal,
    /// The SUBSCRIBE that began it, as long as NOTIFYs may make dialogs for it.
    pub(super) begun: Option<Box<Begun>>,
    /// The dialog that the first NOTIFY has made.
    pub(super) dialog: Option<DialogId>,
    /// The SUBSCRIBE that is out.
    pub(super) request: Option<RequestId>,
    /// Whether that SUBSCRIBE is in the dialog.
    pub(super) is_inside: bool,
    /// The request that is out is no SUBSCRIBE but the REFER that begins the subscription.
    pub(super) is_refer_out: bool,
    /// A NOTIFY has come.
    pub(super) is_notified: bool,
    /// The NOTIFYs of a REFER have its number, so that our SUBSCRIBEs must have it too (RFC 3515 §2.4.6).
    pub(super) shows_id: bool,
    /// Whether another SUBSCRIBE is to follow as soon as one may.
    pub(super) is_due: bool,
    /// Timer N of a SUBSCRIBE in the dialog, until a NOTIFY comes (§4.1.2.2).
    pub(super) unnotified: Option<TimerId>,
    /// When it is refreshed, ends, or begins anew.
    pub(super) timer: Option<TimerId>,
    /// When it ends, if nothing refreshes it.
    pub(super) expires: Option<Instant>,
    /// The seconds that a 2xx has granted before there was a dialog.
    pub(super) granted: Option<u32>,
    /// Whether a NOTIFY has said the duration since the last SUBSCRIBE: that counts (§4.1.3).
    pub(super) is_told: bool,
    /// How often it has ended in a row without ever being refreshed.
    pub(super) failures: u32,
    /// Says what the SUBSCRIBE that ends it carries besides. In a box, as most have nothing here.
    pub(super) farewell: Option<Box<Extra>>,
    /// Another one has begun with the same SUBSCRIBE.
    pub(super) is_fork: bool,
    /// The application knows that it is over; forks may come.
    pub(super) over: bool,
}

/// The SUBSCRIBE that began one or several subscriptions.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) call_id: String,
    /// The tag of From.
    pub(super) tag: String,
    /// The CSeq number that it has now.
    pub(super) number: u32,
    /// The peers' tags of the dialogs that NOTIFYs have made for it; as many as forks are allowed at most.
    pub(super) forks: Vec<Box<str>>,
    /// Timer N (§4.1.2.4); `None` while the SUBSCRIBE waits to go out again.
    pub(super) timer: Option<TimerId>,
}

impl Begun {
    /// Whether a NOTIFY with that tag in From has made a dialog, which may be over.
    pub(super) fn has_made(&self, tag: Option<TagParam<'_>>) -> bool {
        self.forks.iter().any(|fork| TagParam::of(fork) == tag.unwrap_or(TagParam::of("")))
    }

    fn key(&self) -> DialogKey<'_> {
        DialogKey { call_id: &self.call_id, local_tag: TagParam::of(&self.tag), remote_tag: None }
    }
}

impl Subscription {
    /// A subscription for which nothing was sent yet.
    pub(super) const fn new(account: AccountId, terms: Terms, event: EventName, goal: Goal) -> Self {
        Self {
            terms,
            account,
            event,
            goal,
            begun: None,
            dialog: None,
            request: None,
            is_inside: false,
            is_refer_out: false,
            is_notified: false,
            shows_id: false,
            is_due: false,
            unnotified: None,
            timer: None,
            expires: None,
            granted: None,
            is_told: false,
            failures: 0,
            farewell: None,
            is_fork: false,
            over: false,
        }
    }

    /// How it was addressed outside of dialogs.
    pub(super) fn outgoing(&self) -> &Outgoing {
        match &self.terms {
            Terms::Subscribe(subscribe) => &subscribe.outgoing,
            Terms::Refer(terms) => &terms.0,
        }
    }

    /// The seconds that a SUBSCRIBE asks for.
    pub(super) fn interval(&self) -> u32 {
        match &self.terms {
            Terms::Subscribe(subscribe) => subscribe.expires,
            Terms::Refer(_) => self.granted.unwrap_or(INTERVAL),
        }
    }

    /// Notes the seconds that a SUBSCRIBE has to ask for at least.
    pub(super) fn set_interval(&mut self, seconds: u32) {
        match &mut self.terms {
            Terms::Subscribe(subscribe) => subscribe.expires = seconds,
            Terms::Refer(_) => self.granted = Some(seconds),
        }
    }

    /// Whether a NOTIFY with this Event is for the subscription. Those of a REFER need not have its number if it is the first of its dialog
    /// (RFC 3515 §2.4.6).
    pub(super) fn matches(&self, event: Event<'_>) -> bool {
        match &self.terms {
            Terms::Subscribe(_) => self.event.matches(event),
            Terms::Refer(_) if event.id().is_none() => *self.event.package == *event.package,
            Terms::Refer(_) => self.event.matches(event),
        }
    }

    /// The fields and the body of a SUBSCRIBE in the dialog.
    pub(super) fn fields(&self, expires: u32) -> Extra {
        let fields = match &self.terms {
            Terms::Subscribe(subscribe) => subscribe.fields(expires).and(&subscribe.outgoing.extra),
            Terms::Refer(_) => {
                let EventName { package, id } = &self.event;
                let id = id.as_deref().filter(|_| self.shows_id);
                let event = id.map_or_else(|| package.clone().into(), |id| alloc::format!("{package};id={id}"));
                let extra = Extra::new().with(HeaderId::Event, event);
                extra.with(HeaderId::Expires, alloc::format!("{expires}"))
            }
        };
        match &self.farewell {
            Some(farewell) => farewell.as_ref().clone().before(&fields),
            None => fields,
        }
    }

    /// The subscription that another fork of the same SUBSCRIBE makes.
    pub(super) fn fork(&self) -> Self {
        let granted = self.granted.or(Some(self.interval()));
        Self { granted, is_fork: true, ..Self::new(self.account, self.terms.clone(), self.event.clone(), self.goal) }
    }
}

/// The table of subscriptions.
#[derive(Clone, Debug)]
pub(super) struct Book {
    table: Arena<SubscriptionKind, Subscription>,
    /// Those whose SUBSCRIBE may have further NOTIFYs, by its Call-ID and our tag.
    begun: KeyedIndex<SubscriptionId>,
}

impl Book {
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self { table: Arena::new(), begun: KeyedIndex::new(key) }
    }

    /// See [`KeyedIndex::key_probe`].
    #[cfg(test)]
    pub(super) fn key_probe(&self) -> u64 {
        self.begun.key_probe()
    }

    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.table.capacity().max(self.begun.capacity())
    }

    pub(super) fn get(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.table.get(id)
    }

    pub(super) fn get_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription> {
        self.table.get_mut(id)
    }

    /// The subscriptions in the order of their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SubscriptionId, &Subscription)> {
        self.table.iter()
    }

    pub(super) fn add(&mut self, subscription: Subscription) -> SubscriptionId {
        self.table.insert(subscription)
    }

    /// Notes the SUBSCRIBE that has gone out for a subscription.
    pub(super) fn begin(&mut self, id: SubscriptionId, begun: Begun) {
        let hash = begun.key().hash_in(&self.begun);
        if let Some(subscription) = self.table.get_mut(id) {
            subscription.begun = Some(Box::new(begun));
            self.begun.insert(hash, id);
        }
    }

    /// Takes the SUBSCRIBE out that has begun a subscription: no further NOTIFY makes a dialog for it.
    pub(super) fn take_begun(&mut self, id: SubscriptionId) -> Option<Box<Begun>> {
        let begun = self.table.get_mut(id)?.begun.take()?;
        self.begun.remove(begun.key().hash_in(&self.begun), id);
        Some(begun)
    }

    /// The subscription whose SUBSCRIBE has that Call-ID and that tag of ours (§4.4.1).
    pub(super) fn find_begun(&self, key: DialogKey<'_>) -> Option<SubscriptionId> {
        let key = DialogKey { remote_tag: None, ..key };
        let begun = |id| self.table.get(id).and_then(|subscription| subscription.begun.as_ref());
        self.begun.find(key.hash_in(&self.begun), |id| begun(id).is_some_and(|begun| begun.key() == key))
    }

    pub(super) fn remove(&mut self, id: SubscriptionId) -> Option<Subscription> {
        self.take_begun(id);
        self.table.remove(id)
    }
}
