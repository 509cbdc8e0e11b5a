//! Every message in every state, and the six patterns of RFC 6337.

use alloc::vec::Vec;

use super::End::{self, Ours, Theirs};
use super::InvitePhase::{
    Acknowledged, Empty, Offered, PrackOffered, Previewed, ReliableAnswered, ReliableOffered, Settled, SuccessOffered,
    UpdateOffered,
};
use super::Meaning::{Answer, Nothing, Offer, Preview, PreviewedAnswer, Refused, Repeated, Synchronize};
use super::Misplaced::{Missing, Pending, Unacknowledged, Unexpected};
use super::OfferAnswerState::{self as State, Stable};
use super::{Carrier, Meaning, Misplaced, OfferAnswer};
use crate::message::StatusCode;
use Carrier::{
    Ack, Invite, InviteFailure, InviteSuccess, Prack, PrackFailure, PrackSuccess, Provisional, Reliable, Update,
    UpdateFailure, UpdateSuccess,
};

type Verdict = Result<Meaning, Misplaced>;

const CARRIERS: [Carrier; 12] = [
    Invite,
    Provisional,
    Reliable,
    InviteSuccess,
    InviteFailure,
    Ack,
    Prack,
    PrackSuccess,
    PrackFailure,
    Update,
    UpdateSuccess,
    UpdateFailure,
];

const fn invite(phase: super::InvitePhase) -> State {
    State::Invite(Ours, phase)
}

const EMPTY: State = invite(Empty);
const OFFERED: State = invite(Offered);
const PREVIEWED: State = invite(Previewed);
const RELIABLE_OFFERED: State = invite(ReliableOffered);
const RELIABLE_ANSWERED: State = invite(ReliableAnswered);
const ACKNOWLEDGED: State = invite(Acknowledged);
const SETTLED: State = invite(Settled);
const UPDATED: State = invite(UpdateOffered(Ours));
const UPDATED_BACK: State = invite(UpdateOffered(Theirs));
const PRACK_OFFERED: State = invite(PrackOffered);
const SUCCESS_OFFERED: State = invite(SuccessOffered);
const UPDATE: State = State::UpdateOffered(Ours);
const PRACK: State = State::PrackOffered(Ours);

/// The states in which what is in progress is of this end. The others are these with the ends exchanged.
const STATES: [State; 14] = [
    Stable,
    UPDATE,
    PRACK,
    EMPTY,
    OFFERED,
    PREVIEWED,
    RELIABLE_OFFERED,
    RELIABLE_ANSWERED,
    ACKNOWLEDGED,
    SETTLED,
    UPDATED,
    UPDATED_BACK,
    PRACK_OFFERED,
    SUCCESS_OFFERED,
];

fn mirror(state: State) -> State {
    match state {
        Stable => Stable,
        State::UpdateOffered(by) => State::UpdateOffered(by.other()),
        State::PrackOffered(by) => State::PrackOffered(by.other()),
        State::Invite(by, UpdateOffered(who)) => State::Invite(by.other(), UpdateOffered(who.other())),
        State::Invite(by, phase) => State::Invite(by.other(), phase),
    }
}

fn mirrored(verdict: Verdict) -> Verdict {
    match verdict {
        Err(Pending(end)) => Err(Pending(end.other())),
        other => other,
    }
}

/// States, the end that sends, message, whether it has a description; then the verdict and the next state where the
/// sender is this end, and the same where the sender is the peer. `None`: the state stays.
type Row = (&'static [State], End, Carrier, bool, (Verdict, Option<State>), (Verdict, Option<State>));

/// A row that is the same whoever sends.
const fn both(
    states: &'static [State],
    from: End,
    carrier: Carrier,
    has: bool,
    to: Verdict,
    next: Option<State>,
) -> Row {
    (states, from, carrier, has, (to, next), (to, next))
}

/// A request that does not fit now.
const fn pending(states: &'static [State], from: End, carrier: Carrier, has: bool, by: End) -> Row {
    both(states, from, carrier, has, Err(Pending(by)), None)
}

/// A description that repeats what has been said.
const fn repeats(states: &'static [State], from: End, carrier: Carrier) -> Row {
    both(states, from, carrier, true, Ok(Repeated), None)
}

const ALL_BUT_STABLE: &[State] = {
    let [_, rest @ ..] = &STATES;
    rest
};

/// With the INVITE, if there is one, and the UPDATE of `Ours` as the table has them. All that is not here does nothing
/// without a description (`REST` says what a description does there).
#[rustfmt::skip]
const TABLE: &[Row] = &[
    // RFC 3261 §14.1, §14.2; RFC 6337 §4.3: UAC-II, UAC-UI, UAS-IcI, UAS-IsI, UAS-UcI, UAS-UsI.
    both(&[Stable], Ours, Invite, true,  Ok(Offer),   Some(OFFERED)),
    both(&[Stable], Ours, Invite, false, Ok(Nothing), Some(EMPTY)),
    both(&[Stable], Theirs, Invite, true,  Ok(Offer),   Some(State::Invite(Theirs, Offered))),
    both(&[Stable], Theirs, Invite, false, Ok(Nothing), Some(State::Invite(Theirs, Empty))),
    pending(ALL_BUT_STABLE, Ours,   Invite, true,  Ours),
    pending(ALL_BUT_STABLE, Ours,   Invite, false, Ours),
    pending(ALL_BUT_STABLE, Theirs, Invite, true,  Ours),
    pending(ALL_BUT_STABLE, Theirs, Invite, false, Ours),

    // RFC 3261 §13.2.1; RFC 6337 §3.1.1: previews.
    both(&[OFFERED], Theirs, Provisional, true, Ok(Preview), Some(PREVIEWED)),
    repeats(&[PREVIEWED, RELIABLE_OFFERED, RELIABLE_ANSWERED, ACKNOWLEDGED, SETTLED, UPDATED, UPDATED_BACK, PRACK_OFFERED, SUCCESS_OFFERED], Theirs, Provisional),

    // RFC 3262 §5: the answer, or the offer if there was none.
    both(&[OFFERED],   Theirs, Reliable, true,  Ok(Answer),          Some(RELIABLE_ANSWERED)),
    both(&[PREVIEWED], Theirs, Reliable, true,  Ok(PreviewedAnswer), Some(RELIABLE_ANSWERED)),
    both(&[EMPTY],     Theirs, Reliable, true,  Ok(Offer),           Some(RELIABLE_OFFERED)),
    both(&[EMPTY],     Theirs, Reliable, false, Err(Missing),        None),
    repeats(&[RELIABLE_OFFERED, RELIABLE_ANSWERED, ACKNOWLEDGED, SETTLED, UPDATED, UPDATED_BACK, PRACK_OFFERED, SUCCESS_OFFERED], Theirs, Reliable),

    // RFC 3261 §13.3.1.4, §13.2.1; RFC 3262 §3: the 2xx.
    both(&[EMPTY],     Theirs, InviteSuccess, true, Ok(Offer),           Some(SUCCESS_OFFERED)),
    both(&[OFFERED],   Theirs, InviteSuccess, true, Ok(Answer),          Some(Stable)),
    both(&[PREVIEWED], Theirs, InviteSuccess, true, Ok(PreviewedAnswer), Some(Stable)),
    (&[EMPTY, OFFERED], Theirs, InviteSuccess, false, (Err(Missing), None), (Err(Missing), Some(Stable))),
    (&[PREVIEWED],      Theirs, InviteSuccess, false, (Err(Missing), None), (Ok(PreviewedAnswer), Some(Stable))),
    (&[RELIABLE_OFFERED],  Theirs, InviteSuccess, true,  (Err(Unacknowledged), None), (Err(Unacknowledged), Some(Stable))),
    (&[RELIABLE_OFFERED],  Theirs, InviteSuccess, false, (Err(Unacknowledged), None), (Err(Unacknowledged), Some(Stable))),
    (&[RELIABLE_ANSWERED], Theirs, InviteSuccess, true,  (Err(Unacknowledged), None), (Ok(Repeated), Some(Stable))),
    (&[RELIABLE_ANSWERED], Theirs, InviteSuccess, false, (Err(Unacknowledged), None), (Ok(Nothing), Some(Stable))),
    both(&[ACKNOWLEDGED, SETTLED], Theirs, InviteSuccess, true,  Ok(Repeated), Some(Stable)),
    both(&[ACKNOWLEDGED, SETTLED], Theirs, InviteSuccess, false, Ok(Nothing),  Some(Stable)),
    both(&[UPDATED],       Theirs, InviteSuccess, true,  Ok(Repeated), Some(UPDATE)),
    both(&[UPDATED],       Theirs, InviteSuccess, false, Ok(Nothing),  Some(UPDATE)),
    both(&[UPDATED_BACK],  Theirs, InviteSuccess, true,  Ok(Repeated), Some(State::UpdateOffered(Theirs))),
    both(&[UPDATED_BACK],  Theirs, InviteSuccess, false, Ok(Nothing),  Some(State::UpdateOffered(Theirs))),
    both(&[PRACK_OFFERED], Theirs, InviteSuccess, true,  Ok(Repeated), Some(PRACK)),
    both(&[PRACK_OFFERED], Theirs, InviteSuccess, false, Ok(Nothing),  Some(PRACK)),
    repeats(&[SUCCESS_OFFERED], Theirs, InviteSuccess),

    // RFC 3261 §14.1; RFC 6141 §3.4: the session is as it was, unless an exchange is complete.
    both(&[EMPTY], Theirs, InviteFailure, true,  Ok(Nothing), Some(Stable)),
    both(&[EMPTY], Theirs, InviteFailure, false, Ok(Nothing), Some(Stable)),
    both(&[OFFERED, PREVIEWED, RELIABLE_OFFERED], Theirs, InviteFailure, true,  Ok(Refused), Some(Stable)),
    both(&[OFFERED, PREVIEWED, RELIABLE_OFFERED], Theirs, InviteFailure, false, Ok(Refused), Some(Stable)),
    both(&[RELIABLE_ANSWERED, ACKNOWLEDGED, SETTLED], Theirs, InviteFailure, true,  Ok(Synchronize), Some(Stable)),
    both(&[RELIABLE_ANSWERED, ACKNOWLEDGED, SETTLED], Theirs, InviteFailure, false, Ok(Synchronize), Some(Stable)),
    both(&[UPDATED],       Theirs, InviteFailure, true,  Ok(Synchronize), Some(UPDATE)),
    both(&[UPDATED],       Theirs, InviteFailure, false, Ok(Synchronize), Some(UPDATE)),
    both(&[UPDATED_BACK],  Theirs, InviteFailure, true,  Ok(Synchronize), Some(State::UpdateOffered(Theirs))),
    both(&[UPDATED_BACK],  Theirs, InviteFailure, false, Ok(Synchronize), Some(State::UpdateOffered(Theirs))),
    both(&[PRACK_OFFERED], Theirs, InviteFailure, true,  Ok(Synchronize), Some(PRACK)),
    both(&[PRACK_OFFERED], Theirs, InviteFailure, false, Ok(Synchronize), Some(PRACK)),

    // RFC 3261 §13.2.2.4: the answer to the offer of a 2xx.
    both(&[SUCCESS_OFFERED], Ours, Ack, true,  Ok(Answer),    Some(Stable)),
    both(&[SUCCESS_OFFERED], Ours, Ack, false, Err(Missing), Some(Stable)),

    // RFC 3262 §5; RFC 6337 §2.2.
    both(&[RELIABLE_OFFERED],  Ours, Prack, true,  Ok(Answer),    Some(ACKNOWLEDGED)),
    both(&[RELIABLE_OFFERED],  Ours, Prack, false, Err(Missing), None),
    both(&[RELIABLE_ANSWERED], Ours, Prack, true,  Ok(Offer),     Some(PRACK_OFFERED)),
    both(&[RELIABLE_ANSWERED], Ours, Prack, false, Ok(Nothing),   Some(ACKNOWLEDGED)),
    (&[SETTLED], Ours, Prack, true, (Err(Unexpected), None), (Ok(Offer), Some(PRACK_OFFERED))),
    pending(&[OFFERED, PREVIEWED, ACKNOWLEDGED, PRACK_OFFERED, UPDATED], Ours, Prack, true, Ours),
    pending(&[UPDATED_BACK], Ours, Prack, true, Theirs),

    both(&[PRACK_OFFERED], Theirs, PrackSuccess, true, Ok(Answer), Some(SETTLED)),
    (&[PRACK_OFFERED], Theirs, PrackSuccess, false, (Err(Missing), None), (Err(Missing), Some(SETTLED))),
    both(&[PRACK], Theirs, PrackSuccess, true, Ok(Answer), Some(Stable)),
    (&[PRACK], Theirs, PrackSuccess, false, (Err(Missing), None), (Err(Missing), Some(Stable))),
    both(&[ACKNOWLEDGED], Theirs, PrackSuccess, false, Ok(Nothing), Some(SETTLED)),
    (&[ACKNOWLEDGED], Theirs, PrackSuccess, true, (Err(Unexpected), None), (Err(Unexpected), Some(SETTLED))),

    // RFC 6337 §2.3: the PRACK may be sent again without an offer.
    both(&[PRACK_OFFERED], Theirs, PrackFailure, true,  Ok(Refused), Some(RELIABLE_ANSWERED)),
    both(&[PRACK_OFFERED], Theirs, PrackFailure, false, Ok(Refused), Some(RELIABLE_ANSWERED)),
    both(&[PRACK],         Theirs, PrackFailure, true,  Ok(Refused), Some(Stable)),
    both(&[PRACK],         Theirs, PrackFailure, false, Ok(Refused), Some(Stable)),
    both(&[ACKNOWLEDGED],  Theirs, PrackFailure, true,  Ok(Nothing), Some(SETTLED)),
    both(&[ACKNOWLEDGED],  Theirs, PrackFailure, false, Ok(Nothing), Some(SETTLED)),

    // RFC 3311 §5.1, §5.2; RFC 6337 §4.3: UAC-UU, UAC-IU, UAS-UcU, UAS-UsU, UAS-IcU, UAS-IsU.
    both(&[Stable],  Ours,   Update, true, Ok(Offer), Some(UPDATE)),
    both(&[Stable],  Theirs, Update, true, Ok(Offer), Some(State::UpdateOffered(Theirs))),
    both(&[SETTLED], Ours,   Update, true, Ok(Offer), Some(UPDATED)),
    both(&[SETTLED], Theirs, Update, true, Ok(Offer), Some(UPDATED_BACK)),
    pending(&[UPDATE, UPDATED], Ours, Update, false, Ours),
    pending(&[UPDATED_BACK], Theirs, Update, false, Theirs),
    pending(&[UPDATED_BACK], Ours, Update, true, Theirs),
    pending(&[UPDATED_BACK], Theirs, Update, true, Theirs),
    pending(&[UPDATE, PRACK, EMPTY, OFFERED, PREVIEWED, RELIABLE_OFFERED, RELIABLE_ANSWERED, ACKNOWLEDGED, UPDATED, PRACK_OFFERED, SUCCESS_OFFERED], Ours, Update, true, Ours),
    pending(&[UPDATE, PRACK, EMPTY, OFFERED, PREVIEWED, RELIABLE_OFFERED, RELIABLE_ANSWERED, ACKNOWLEDGED, UPDATED, PRACK_OFFERED, SUCCESS_OFFERED], Theirs, Update, true, Ours),

    both(&[UPDATE],       Theirs, UpdateSuccess, true, Ok(Answer), Some(Stable)),
    both(&[UPDATED],      Theirs, UpdateSuccess, true, Ok(Answer), Some(SETTLED)),
    both(&[UPDATED_BACK], Ours,   UpdateSuccess, true, Ok(Answer), Some(SETTLED)),
    (&[UPDATE],       Theirs, UpdateSuccess, false, (Err(Missing), None), (Err(Missing), Some(Stable))),
    (&[UPDATED],      Theirs, UpdateSuccess, false, (Err(Missing), None), (Err(Missing), Some(SETTLED))),
    (&[UPDATED_BACK], Ours,   UpdateSuccess, false, (Err(Missing), None), (Err(Missing), Some(SETTLED))),
    both(&[UPDATE],       Theirs, UpdateFailure, true,  Ok(Refused), Some(Stable)),
    both(&[UPDATE],       Theirs, UpdateFailure, false, Ok(Refused), Some(Stable)),
    both(&[UPDATED],      Theirs, UpdateFailure, true,  Ok(Refused), Some(SETTLED)),
    both(&[UPDATED],      Theirs, UpdateFailure, false, Ok(Refused), Some(SETTLED)),
    both(&[UPDATED_BACK], Ours,   UpdateFailure, true,  Ok(Refused), Some(SETTLED)),
    both(&[UPDATED_BACK], Ours,   UpdateFailure, false, Ok(Refused), Some(SETTLED)),
];

/// The effect of a description in a message that no row of the table has: where this end sends the message, and where
/// the peer does.
fn rest(carrier: Carrier) -> (Verdict, Verdict) {
    match carrier {
        Provisional | Reliable | InviteSuccess | Ack | Prack => (Err(Unexpected), Ok(Repeated)),
        PrackSuccess | UpdateSuccess => (Err(Unexpected), Err(Unexpected)),
        InviteFailure | PrackFailure | UpdateFailure => (Ok(Nothing), Ok(Nothing)),
        Invite | Update => panic!("each of these has a row"),
    }
}

fn in_state(state: State) -> OfferAnswer {
    OfferAnswer { state, plain_updates: [false; 2] }
}

fn on(machine: &mut OfferAnswer, from: End, carrier: Carrier, has: bool) -> Verdict {
    match from {
        Ours => machine.sent(carrier, has),
        Theirs => machine.received(carrier, has),
    }
}

fn row(state: State, from: End, carrier: Carrier, has: bool) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.0.contains(&state) && (row.1, row.2, row.3) == (from, carrier, has))
}

#[test]
fn every_message_in_every_state() {
    let pairs = STATES.iter().flat_map(|state| [Ours, Theirs].map(|from| (*state, from)));
    let inputs = pairs.flat_map(|pair| CARRIERS.map(|carrier| (pair, carrier)));
    for (((state, from), carrier), has) in inputs.flat_map(|input| [true, false].map(|has| (input, has))) {
        for is_mirrored in [false, true] {
            let sender = if is_mirrored { from.other() } else { from };
            let (sent, received) = match row(state, from, carrier, has) {
                Some(row) => (row.4, row.5),
                None if has => {
                    let (sent, received) = rest(carrier);
                    ((sent, None), (received, None))
                }
                None => ((Ok(Nothing), None), (Ok(Nothing), None)),
            };
            let (verdict, next) = if sender == Ours { sent } else { received };
            let next = next.unwrap_or(state);
            let expected = if is_mirrored { (mirrored(verdict), mirror(next)) } else { (verdict, next) };
            let before = in_state(if is_mirrored { mirror(state) } else { state });
            let mut machine = before;
            let found = on(&mut machine, sender, carrier, has);
            assert_eq!((found, machine.state()), expected, "{before:?}, {sender:?}, {carrier:?}, {has}");
            if sender == Ours {
                assert_eq!(before.may_send(carrier, has), found.is_ok(), "{before:?}, {carrier:?}, {has}");
            }
        }
    }
}

/// No pair stands in the table twice, and none that the rule for the rest has already.
#[test]
fn the_table_has_each_pair_once() {
    let mut pairs = Vec::new();
    for row in TABLE {
        for state in row.0 {
            let pair = (*state, row.1, row.2, row.3);
            assert!(!pairs.contains(&pair), "{pair:?}");
            pairs.push(pair);
        }
        let nothing = ((Ok(Nothing), None), (Ok(Nothing), None));
        assert!(row.3 || (row.4, row.5) != nothing, "{row:?}");
    }
}

/// RFC 6337 §2.2, Table 1: where the offer and the answer stand, and in which INVITEs and dialogs.
#[test]
fn the_six_patterns_row_by_row() {
    /// The messages with descriptions, and the empty ones before them, as the end that sends the first of them sees it.
    type Pattern = (&'static [(End, Carrier, bool)], [(End, Carrier); 2]);
    const PATTERNS: [Pattern; 6] = [
        (&[], [(Ours, Invite), (Theirs, InviteSuccess)]),
        (&[(Ours, Invite, false)], [(Theirs, InviteSuccess), (Ours, Ack)]),
        (&[], [(Ours, Invite), (Theirs, Reliable)]),
        (&[(Ours, Invite, false)], [(Theirs, Reliable), (Ours, Prack)]),
        (&[(Ours, Invite, true), (Theirs, Reliable, true)], [(Ours, Prack), (Theirs, PrackSuccess)]),
        (
            &[(Ours, Invite, true), (Theirs, Reliable, true), (Ours, Prack, false), (Theirs, PrackSuccess, false)],
            [(Ours, Update), (Theirs, UpdateSuccess)],
        ),
    ];
    for (number, (before, [offer, answer])) in PATTERNS.iter().enumerate() {
        for is_mirrored in [false, true] {
            let way = |end: End| if is_mirrored { end.other() } else { end };
            let mut machine = OfferAnswer::default();
            for (from, carrier, has) in *before {
                on(&mut machine, way(*from), *carrier, *has).expect("a legal way");
            }
            assert_eq!(on(&mut machine, way(offer.0), offer.1, true), Ok(Offer), "pattern {}", number + 1);
            // While the exchange is in progress, no end can begin another (RFC 3264 §4).
            for carrier in [Invite, Update] {
                assert!(!machine.may_send(carrier, true), "pattern {}: {carrier:?}", number + 1);
                let refused = machine.clone().received(carrier, true).expect_err("refused").refusal(carrier);
                assert!(refused.is_some(), "pattern {}: {carrier:?}", number + 1);
            }
            assert_eq!(on(&mut machine, way(answer.0), answer.1, true), Ok(Answer), "pattern {}", number + 1);
        }
    }
}

/// RFC 6337 §2.2, Table 1, columns "Ini" and "Early". All patterns may update an established session: it is `Stable`,
/// as at the birth.
#[test]
fn a_pattern_is_used_where_its_columns_allow() {
    let offers = |state: State, from: End, carrier: Carrier| on(&mut in_state(state), from, carrier, true) == Ok(Offer);
    assert!(offers(Stable, Ours, Invite) && offers(Stable, Ours, Update));
    for first in [EMPTY, OFFERED, PREVIEWED] {
        // Ini: N.
        assert!(!offers(first, Ours, Prack) && !offers(first, Ours, Update) && !offers(first, Theirs, Update));
    }
    // Ini: Y.
    assert!(offers(EMPTY, Theirs, Reliable) && offers(EMPTY, Theirs, InviteSuccess));
    // Early: only 5 and 6.
    assert!(offers(RELIABLE_ANSWERED, Ours, Prack) && offers(SETTLED, Ours, Update) && offers(SETTLED, Theirs, Update));
    for carrier in [Reliable, InviteSuccess] {
        assert!(!offers(SETTLED, Theirs, carrier) && !offers(RELIABLE_ANSWERED, Theirs, carrier), "{carrier:?}");
    }
    assert!(!offers(SETTLED, Ours, Invite) && !offers(SETTLED, Theirs, Invite));
}

/// RFC 6337 §3.1.1, Figure 1, F1 to F13 as both ends see them.
#[test]
fn an_answer_is_previewed_given_once_and_never_changed() {
    let flow = [
        (Ours, Invite, true, Offer),
        (Theirs, Provisional, true, Preview),
        (Theirs, Reliable, false, Nothing),
        (Ours, Prack, false, Nothing),
        (Theirs, PrackSuccess, false, Nothing),
        (Theirs, Reliable, true, PreviewedAnswer),
        (Ours, Prack, true, Offer),
        (Theirs, PrackSuccess, true, Answer),
        (Theirs, Reliable, false, Nothing),
        (Ours, Prack, false, Nothing),
        (Theirs, PrackSuccess, false, Nothing),
        // A peer that does not do as is recommended says the answer again.
        (Theirs, InviteSuccess, true, Repeated),
        (Ours, Ack, false, Nothing),
    ];
    for is_mirrored in [false, true] {
        let mut machine = OfferAnswer::default();
        for (from, carrier, has, expected) in flow {
            let from = if is_mirrored { from.other() } else { from };
            assert_eq!(on(&mut machine, from, carrier, has), Ok(expected), "{carrier:?}");
        }
        assert_eq!(machine.state(), Stable);
    }
}

/// RFC 3311 §5.2: one UPDATE at a time, whether it has an offer or not. Those of the two ends may cross if one has no
/// offer.
#[test]
fn an_update_without_an_offer_is_one_at_a_time_and_no_glare() {
    for first in [Ours, Theirs] {
        let mut machine = OfferAnswer::default();
        assert_eq!(on(&mut machine, first, Update, false), Ok(Nothing));
        for has in [false, true] {
            assert_eq!(on(&mut machine, first, Update, has), Err(Pending(first)));
        }
        let mut crossing = machine;
        assert_eq!(on(&mut crossing, first.other(), Update, false), Ok(Nothing));
        assert_eq!(on(&mut machine, first.other(), Update, true), Ok(Offer));
        // The answer to the offer is told from the empty response to the other.
        assert_eq!(on(&mut machine, first.other(), UpdateSuccess, false), Ok(Nothing));
        assert_eq!(on(&mut machine, first, UpdateSuccess, true), Ok(Answer));
        assert_eq!(machine, OfferAnswer::default());
        assert_eq!(on(&mut crossing, first.other(), UpdateFailure, false), Ok(Nothing));
        assert_eq!(on(&mut crossing, first, Update, true), Ok(Offer));
    }
    let mut machine = OfferAnswer::default();
    machine.sent(Update, false).unwrap();
    assert_eq!(machine.received(UpdateSuccess, true), Err(Unexpected));
    assert_eq!(machine, OfferAnswer::default());
    machine.received(Update, false).unwrap();
    assert_eq!(machine.sent(UpdateSuccess, true), Err(Unexpected));
    assert_eq!(machine.sent(UpdateSuccess, false), Ok(Nothing));
}

#[test]
fn what_a_peer_sends_at_the_wrong_time_is_refused_as_the_rfcs_say() {
    // RFC 3261 §14.2, RFC 3311 §5.2.
    assert_eq!(Pending(Ours).refusal(Invite), Some(StatusCode::REQUEST_PENDING));
    assert_eq!(Pending(Theirs).refusal(Update), Some(StatusCode::SERVER_INTERNAL_ERROR));
    assert_eq!(Pending(Ours).refusal(Prack), Some(StatusCode::REQUEST_PENDING));
    assert_eq!(Missing.refusal(Prack), Some(StatusCode::BAD_REQUEST));
    for carrier in CARRIERS.into_iter().filter(|carrier| ![Invite, Prack, Update].contains(carrier)) {
        assert_eq!(Missing.refusal(carrier), None, "{carrier:?}");
    }
}

/// RFC 6141 §3.3: what is executed is answered with a 2xx.
#[test]
fn an_exchange_within_the_invite_is_known() {
    let executed = [RELIABLE_ANSWERED, ACKNOWLEDGED, SETTLED, UPDATED, UPDATED_BACK, PRACK_OFFERED];
    for state in STATES {
        assert_eq!(in_state(state).is_executed(), executed.contains(&state), "{state:?}");
        assert_eq!(in_state(mirror(state)).is_executed(), executed.contains(&state), "{state:?}");
    }
}
