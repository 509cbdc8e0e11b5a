//! The end that a response to a request within a dialog brings: of the transaction, the usage, or the dialog (RFC 5057
//! §5).

use crate::message::{Method, StatusCode};
use crate::time::Duration;

/// The things that end with a transaction (RFC 5057 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// Nothing more.
    Transaction,
    /// The usage that the request was sent in, and the dialog if that was its last usage.
    Usage,
    /// The dialog, with all its usages.
    Dialog,
}

/// When the request may be sent again in a usage that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The response says nothing of the time.
    Unsaid,
    /// Not before this time has passed: Retry-After. Other usages may send at any time.
    After(Duration),
    /// The condition may pass, but the response has no Retry-After: after an interval of the sender's choice, or the
    /// usage is ended gracefully (RFC 5057 §5.1, notes 13 and 17).
    OwnChoice,
}

/// The purpose of a request within a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To begin a usage, such as a SUBSCRIBE or a REFER that makes a new subscription.
    Begin,
    /// To go on with a usage that is there.
    Continue,
    /// To end a usage gracefully, such as a BYE, or a SUBSCRIBE that expires at once.
    End,
}

/// The effect of a final response on the dialog (RFC 5057 §5.1, Table 1). It is the same for the end that sends the
/// response as for the end that receives it.
///
/// The effect is asked for once nothing is left to try: a 401 that is answered with credentials has none. A time-out
/// counts as 408 and a transport error as 503 (RFC 3261 §8.1.3.1). A session that times out is ended with a BYE
/// (§12.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseEffect {
    /// The greatest thing that ends.
    pub ended: Ended,
    /// When another request may follow.
    pub again: Again,
}

impl ResponseEffect {
    /// The effect of `status`, with the seconds of its Retry-After if it has one, on the request `method` within a
    /// dialog.
    pub fn of(method: Method<'_>, purpose: Purpose, status: StatusCode, retry_after: Option<u32>) -> Self {
        let wait = retry_after.map(|seconds| Again::After(Duration::from_secs(seconds.into())));
        let ended = match table(status) {
            // CANCEL goes from hop to hop: a response to it says nothing of the dialog (note 8).
            _ if method == Method::Cancel => Ended::Transaction,
            Ended::Dialog => Ended::Dialog,
            _ if !belongs_to_usage(method) || purpose == Purpose::Begin => Ended::Transaction,
            // A session is over when its BYE is sent, whatever the response (RFC 3261 §15.1.1).
            _ if method == Method::Bye => Ended::Usage,
            // An end that wanted to end the usage need not try again (notes 13 and 17).
            Ended::Transaction if purpose == Purpose::End && is_general(status) => Ended::Usage,
            Ended::Transaction => Ended::Transaction,
            Ended::Usage => of_usage(method, status, retry_after.is_some()),
        };
        let again = match wait {
            _ if ended != Ended::Transaction => Again::Unsaid,
            Some(wait) => wait,
            None if is_general(status) => Again::OwnChoice,
            None => Again::Unsaid,
        };
        Self { ended, again }
    }
}

/// RFC 5057 §5.1, Table 1. The only difference is 408: Table 1 has it in the first column, but its note 4 lets it do
/// what a transaction that times out does, and that ends the usage (§5.2).
fn table(status: StatusCode) -> Ended {
    match status.get() {
        404 | 410 | 416 | 482..=485 | 502 | 604 => Ended::Dialog,
        405 | 408 | 480 | 481 | 489 | 501 => Ended::Usage,
        _ => Ended::Transaction,
    }
}

/// The notes on the statuses that end a usage.
fn of_usage(method: Method<'_>, status: StatusCode, has_retry_after: bool) -> Ended {
    let is_subscription = matches!(method, Method::Subscribe | Method::Notify);
    let lasts = match status.get() {
        // A request that the usage can do without (note 3).
        405 | 501 => matches!(method, Method::Info | Method::Update | Method::Refer),
        // A subscription whose refresh fails otherwise lasts until it expires (RFC 6665 §4.1.2.2).
        408 => method == Method::Subscribe,
        // The peer will be there again (note 7). A subscription ends all the same (RFC 6665 §4.1.2.2, §4.2.2).
        480 => has_retry_after && !is_subscription,
        // The status has no meaning outside of event notification (note 12).
        489 => !is_subscription,
        _ => false,
    };
    if lasts { Ended::Transaction } else { Ended::Usage }
}

/// Whether a request of this method is part of a usage (RFC 5057 §5.3). The others are answered as they would be
/// outside of a dialog.
const fn belongs_to_usage(method: Method<'_>) -> bool {
    !matches!(method, Method::Options | Method::Message | Method::Publish | Method::Other(_))
}

/// Whether the status is 500 or 600, or is treated as one of these since it is not known (RFC 3261 §8.1.3.2).
const fn is_general(status: StatusCode) -> bool {
    match status.class() {
        5 => !matches!(status.get(), 501..=505 | 513 | 580),
        6 => !matches!(status.get(), 603 | 604 | 606),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Again, Ended, Purpose, ResponseEffect};
    use crate::message::{Method, StatusCode};
    use crate::time::Duration;
    use Ended::{Dialog, Transaction, Usage};
    use Purpose::{Begin, Continue, End};

    fn effect(method: Method<'_>, purpose: Purpose, status: u16, retry_after: Option<u32>) -> ResponseEffect {
        ResponseEffect::of(method, purpose, StatusCode::new(status).unwrap(), retry_after)
    }

    fn ended(method: Method<'_>, purpose: Purpose, status: u16) -> Ended {
        effect(method, purpose, status, None).ended
    }

    /// RFC 5057 §5.1, Table 2, row by row: a NOTIFY in a subscription. The row of 408 is as its note 4 and §5.2 say.
    const TABLE_2: [(u16, Ended); 48] = [
        (400, Transaction),
        (401, Transaction),
        (402, Transaction),
        (403, Transaction),
        (404, Dialog),
        (405, Usage),
        (406, Transaction),
        (407, Transaction),
        (408, Usage),
        (410, Dialog),
        (412, Transaction),
        (413, Transaction),
        (414, Transaction),
        (415, Transaction),
        (416, Dialog),
        (417, Transaction),
        (420, Transaction),
        (421, Transaction),
        (422, Transaction),
        (423, Transaction),
        (428, Transaction),
        (429, Transaction),
        (436, Transaction),
        (437, Transaction),
        (438, Transaction),
        (480, Usage),
        (481, Usage),
        (482, Dialog),
        (483, Dialog),
        (484, Dialog),
        (485, Dialog),
        (486, Transaction),
        (487, Transaction),
        (488, Transaction),
        (489, Usage),
        (491, Transaction),
        (493, Transaction),
        (494, Transaction),
        (500, Transaction),
        (501, Usage),
        (502, Dialog),
        (503, Transaction),
        (504, Transaction),
        (505, Transaction),
        (513, Transaction),
        (580, Transaction),
        (600, Transaction),
        (603, Transaction),
    ];
    /// The last rows, and codes that are in no row: unknown 4xx, 5xx and 6xx.
    const REST: [(u16, Ended); 5] =
        [(604, Dialog), (606, Transaction), (499, Transaction), (599, Transaction), (699, Transaction)];

    #[test]
    fn table_2_row_by_row() {
        for (status, expected) in TABLE_2.into_iter().chain(REST) {
            assert_eq!(ended(Method::Notify, Continue, status), expected, "{status}");
        }
        // A response that is no failure ends nothing.
        for status in [100, 180, 200, 202, 300, 302, 399] {
            assert_eq!(ended(Method::Notify, Continue, status), Transaction, "{status}");
        }
    }

    #[test]
    fn a_session_is_ended_as_a_subscription_is_but_by_bad_event() {
        for (status, expected) in TABLE_2.into_iter().chain(REST) {
            let expected = if status == 489 { Transaction } else { expected };
            assert_eq!(ended(Method::Invite, Continue, status), expected, "{status}");
            assert_eq!(ended(Method::Prack, Continue, status), expected, "{status}");
        }
    }

    #[test]
    fn what_belongs_to_no_usage_ends_none_but_may_end_the_dialog() {
        for method in [Method::Options, Method::Message, Method::Publish, Method::Other("FOO")] {
            for (status, expected) in TABLE_2.into_iter().chain(REST) {
                let expected = if expected == Dialog { Dialog } else { Transaction };
                assert_eq!(ended(method, Continue, status), expected, "{method} {status}");
            }
        }
    }

    #[test]
    fn a_usage_that_is_not_there_cannot_be_ended() {
        for status in [405, 408, 480, 481, 489, 501] {
            assert_eq!(ended(Method::Subscribe, Begin, status), Transaction, "{status}");
            assert_eq!(ended(Method::Refer, Begin, status), Transaction, "{status}");
        }
        assert_eq!(ended(Method::Refer, Begin, 404), Dialog);
        assert_eq!(ended(Method::Refer, Begin, 603), Transaction, "the safest refusal (§5.6)");
    }

    #[test]
    fn a_request_that_the_usage_can_do_without_ends_it_only_when_the_peer_is_gone() {
        for method in [Method::Info, Method::Update] {
            assert_eq!(
                [405, 501, 481, 408].map(|status| ended(method, Continue, status)),
                [Transaction, Transaction, Usage, Usage]
            );
        }
    }

    #[test]
    fn a_response_to_a_cancel_says_nothing_of_the_dialog() {
        for status in [481, 408, 404, 500] {
            assert_eq!(ended(Method::Cancel, Continue, status), Transaction, "{status}");
        }
    }

    #[test]
    fn a_refresh_that_times_out_leaves_the_subscription_and_a_notify_does_not() {
        assert_eq!(ended(Method::Subscribe, Continue, 408), Transaction);
        assert_eq!(ended(Method::Subscribe, Continue, 481), Usage);
        assert_eq!(ended(Method::Notify, Continue, 408), Usage);
    }

    #[test]
    fn retry_after_says_when_and_keeps_what_is_only_away() {
        let seven = Again::After(Duration::from_secs(7));
        let lasting = |again| ResponseEffect { ended: Transaction, again };
        assert_eq!(effect(Method::Invite, Continue, 480, Some(7)), lasting(seven));
        assert_eq!(effect(Method::Notify, Continue, 480, Some(7)).ended, Usage, "RFC 6665 §4.2.2");
        assert_eq!(effect(Method::Invite, Continue, 500, Some(7)), lasting(seven));
        assert_eq!(effect(Method::Invite, Continue, 500, None), lasting(Again::OwnChoice));
        assert_eq!(effect(Method::Invite, Continue, 599, None), lasting(Again::OwnChoice));
        assert_eq!(effect(Method::Invite, Continue, 600, Some(0)), lasting(Again::After(Duration::ZERO)));
        assert_eq!(effect(Method::Invite, Continue, 699, None), lasting(Again::OwnChoice));
        assert_eq!(effect(Method::Invite, Continue, 603, None), lasting(Again::Unsaid));
        assert_eq!(
            effect(Method::Invite, Continue, 481, Some(7)),
            ResponseEffect { ended: Usage, again: Again::Unsaid }
        );
    }

    #[test]
    fn a_failed_attempt_to_end_a_usage_ends_it() {
        for status in [500, 599, 600, 699, 481] {
            assert_eq!(ended(Method::Subscribe, End, status), Usage, "{status}");
            assert_eq!(effect(Method::Subscribe, End, status, Some(7)).again, Again::Unsaid);
        }
        assert_eq!(ended(Method::Subscribe, End, 403), Transaction);
        for status in [200, 403, 408, 500] {
            assert_eq!(ended(Method::Bye, End, status), Usage, "{status}");
        }
    }
}
