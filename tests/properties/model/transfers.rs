//! Transfers and subscriptions, by what users have done and were told.
//!
//! The model: each subscription is told to be over once, and nothing of it afterwards. Whoever follows a REFER tells one outcome of it, and
//! if the referrer is told an outcome, it is that one. A call that was to take the place of another has done so once it is answered: the model of calls
//! says whether both ends know.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sansip::message::{HeaderId, Request, StatusCode};
use sansip::user_agent::SubscriptionEnd;
use sansip::{CallId, ReferralId, SubscriptionId};

use super::watched::Belief;

/// A subscription of a user, which a REFER of that number has made, or a SUBSCRIBE.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) subscription: SubscriptionId,
    pub(super) number: u32,
    /// The last status that was told.
    pub(super) last: Option<u16>,
    /// Says what is known of the notifier's state, if it has one (`watched.rs`).
    pub(super) belief: Option<Belief>,
    /// The notifier has ended it, as nothing more will come.
    pub(super) is_done: bool,
    pub(super) ends: usize,
    pub(super) wrong: Option<&'static str>,
}

/// The subscriptions of a user, and what the user has told of the REFERs that were followed.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfers {
    pub(super) watches: Vec<Watch>,
    /// By the number of the REFER.
    pub(super) told: BTreeMap<u32, u16>,
}

pub(super) type Shared = Arc<Mutex<Transfers>>;

pub(super) fn change<R>(transfers: &Shared, change: impl FnOnce(&mut Transfers) -> R) -> R {
    change(&mut transfers.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Transfers {
    pub(super) fn begin(&mut self, subscription: SubscriptionId, number: u32) {
        self.watches.push(Watch {
            subscription,
            number,
            last: None,
            belief: None,
            is_done: false,
            ends: 0,
            wrong: None,
        });
    }

    fn watch(&mut self, subscription: SubscriptionId) -> Option<&mut Watch> {
        self.watches.iter_mut().find(|watch| watch.subscription == subscription)
    }

    pub(super) fn notified(&mut self, subscription: SubscriptionId, status: Option<StatusCode>, notify: &Request) {
        let Some(watch) = self.watch(subscription) else { return };
        if watch.ends > 0 {
            watch.wrong = Some("something was told of it after its end");
        }
        if notify.headers().raw(HeaderId::Event) == Some(b"presence") {
            let state = String::from_utf8_lossy(notify.body()).into_owned();
            watch.belief = Some(Belief { call_id: notify.call_id().unwrap_or_default().to_owned(), state });
        }
        watch.last = status.map(StatusCode::get).or(watch.last);
    }

    pub(super) fn ended(&mut self, subscription: SubscriptionId, cause: &SubscriptionEnd) {
        let Some(watch) = self.watch(subscription) else { return };
        watch.ends += 1;
        watch.is_done = matches!(cause, SubscriptionEnd::Terminated { .. });
    }

    /// The subscriptions that are not over, in order.
    pub(super) fn alive(&self) -> Vec<SubscriptionId> {
        self.watches.iter().filter(|watch| watch.ends == 0).map(|watch| watch.subscription).collect()
    }
}

/// The beliefs of all users in the subscriptions that are not over.
pub(super) fn beliefs(all: &[Shared]) -> Vec<Belief> {
    let of = |transfers: &Shared| {
        change(transfers, |transfers| {
            let alive = transfers.watches.iter().filter(|watch| watch.ends == 0);
            alive.filter_map(|watch| watch.belief.clone()).collect::<Vec<_>>()
        })
    };
    all.iter().flat_map(of).collect()
}

/// The calls that a user makes because of a REFER, until their outcome is told.
pub(super) type Followed = BTreeMap<CallId, (Option<ReferralId>, u32)>;

/// All transfers, held against the model.
pub(super) fn judge(all: &[Shared]) -> Vec<String> {
    let all: Vec<Transfers> = all.iter().map(|transfers| change(transfers, |transfers| transfers.clone())).collect();
    let told: BTreeMap<u32, u16> = all.iter().flat_map(|transfers| transfers.told.clone()).collect();
    let mut wrong = Vec::new();
    for watch in all.iter().flat_map(|transfers| &transfers.watches) {
        let mut say = |what: String| wrong.push(format!("REFER or SUBSCRIBE {}: {what}", watch.number));
        if watch.ends != 1 {
            say(format!("its end was told {} times", watch.ends));
        }
        if let Some(what) = watch.wrong {
            say(what.to_owned());
        }
        let outcome = watch.last.filter(|status| *status >= 200);
        let told = told.get(&watch.number).copied();
        if outcome.is_some() && outcome != told {
            say(format!("the outcome is {outcome:?}, and who followed it has told {told:?}"));
        }
    }
    wrong
}
