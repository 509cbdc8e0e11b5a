//! The worlds that mistakes show in.

use sansip::Duration;

use super::{Scene, wrapped, wrapped_servers as servers, wrapped_sessions as sessions};
use crate::link::Probability;
use crate::run::{ByWhom, Case, Reply};
use crate::topology::Topology;

pub(super) const ANY: Scene = Scene::ANY;
pub(super) const REJECTED: Scene = Scene::with(|case| {
    case.reply = Reply::Reject(Duration::from_millis(500));
    case.cancel_after = None;
});
pub(super) const ANSWERED: Scene = Scene::with(answered);
pub(super) const RECORDED: Scene = Scene::with(|case| {
    answered(case);
    case.topology = Topology::Trapezoid;
    case.record_route = true;
    case.hang_up = ByWhom::ALICE;
});
pub(super) const ALICE_HANGS_UP: Scene = Scene::with(|case| {
    answered(case);
    case.hang_up = ByWhom::ALICE;
});
pub(super) const CANCELLED: Scene = Scene::with(|case| {
    case.reply = Reply::Nothing;
    case.cancel_after = Some(Duration::from_secs(2));
    case.calm_after = Duration::from_secs(80);
});
pub(super) const RINGS_LONG: Scene = Scene::with(|case| {
    case.topology = Topology::OneProxy;
    case.ring_after = Some(Duration::from_millis(100));
    case.reply = Reply::Answer(Duration::from_secs(300));
    case.cancel_after = None;
    case.ring_limit = Duration::from_secs(400);
    case.calm_after = Duration::from_secs(500);
});
/// Nothing arrives.
pub(super) const SILENT: Scene = Scene::with(|case| {
    answered(case);
    case.conditions.loss = Probability::percent(100);
});
pub(super) const UNACKNOWLEDGED: Scene =
    Scene { adapt: REJECTED.adapt, provoked: Some(("alice", wrapped::WITHHOLDS_ACK)) };
pub(super) const ANSWERED_IN_VAIN: Scene = Scene { adapt: answered, provoked: Some(("alice", wrapped::WITHHOLDS_ACK)) };
pub(super) const BYE_IN_VAIN: Scene = Scene { adapt: RECORDED.adapt, provoked: Some(("bob", wrapped::OVERLOOKS_BYE)) };
/// Bob is to end the call when his 2xx is out and the ACK has not come.
pub(super) const ENDS_EARLY: Scene = Scene::with(|case| {
    answered(case);
    case.topology = Topology::Direct;
    case.delay = Duration::from_millis(200);
    case.calm_after = Duration::from_millis(2_400);
});
pub(super) const OVERLOADED: Scene = Scene { adapt: REJECTED.adapt, provoked: Some(("bob", wrapped::OVERLOADED)) };
pub(super) const BEHIND_NAT: Scene = Scene { adapt: ANSWERED.adapt, provoked: Some(("alice", wrapped::BEHIND_NAT)) };
pub(super) const BEHIND_NAT_WITH_RPORT: Scene =
    Scene { adapt: ANSWERED.adapt, provoked: Some(("alice", wrapped::BEHIND_NAT_WITH_RPORT)) };
pub(super) const OLD_NUMBERS: Scene = Scene {
    adapt: |case| {
        answered(case);
        case.hang_up = ByWhom::NOBODY;
        case.calm_after = Duration::from_secs(20);
    },
    provoked: Some(("alice", wrapped::ASKS_WITH_OLD_NUMBER)),
};

/// Bob asks for credentials, and Alice hangs up.
pub(super) const CHALLENGED: Scene = Scene::with(challenged);
pub(super) const CHALLENGED_AND_CANCELLED: Scene = Scene::with(|case| {
    (CANCELLED.adapt)(case);
    case.challenge.bob = true;
});
/// The nonce of the INVITE is too old for the BYE.
pub(super) const NONCES_AGE: Scene = Scene::with(|case| {
    challenged(case);
    case.nonce_age = Duration::from_secs(4);
});
pub(super) const OVERHEARD: Scene = Scene { adapt: challenged, provoked: Some(("alice", sessions::REPLAYS)) };
/// Alice puts Bob on hold.
pub(super) const HELD: Scene = Scene::with(held);
/// He takes his time to say yes.
pub(super) const HELD_AT_LENGTH: Scene = Scene::with(|case| {
    held(case);
    case.change_reply = Reply::Answer(Duration::from_secs(1));
});
/// Both put each other on hold.
pub(super) const HELD_BY_BOTH: Scene = Scene::with(|case| {
    held(case);
    case.hold.bob = case.hold.alice;
});
pub(super) const OFFERED_LATE: Scene = Scene::with(|case| {
    answered(case);
    case.late_offer = Some(Duration::from_millis(100));
});

/// Bob's phone rings by a response that waits for its PRACK.
pub(super) const RELIABLE: Scene = Scene::with(reliable);
pub(super) const WRONGLY_ACKNOWLEDGED: Scene =
    Scene { adapt: reliable, provoked: Some(("alice", sessions::PRACK_HAS_WRONG_RSEQ)) };

/// Bob has two phones.
pub(super) const FORKED: Scene = Scene::with(|case| {
    answered(case);
    case.topology = Topology::Fork(2);
});
/// Both have answered before either knows of the other.
pub(super) const ANSWERED_BY_BOTH: Scene = Scene::with(|case| {
    answered(case);
    case.topology = Topology::Fork(2);
    case.delay = Duration::from_millis(200);
});

/// Alice calls Carol, and gives her the call with Bob.
pub(super) const ATTENDED: Scene = Scene::with(attended);
/// When Bob's INVITE comes to Carol, Alice has hung up.
pub(super) const REPLACED_TOO_LATE: Scene = Scene::with(|case| {
    attended(case);
    case.topology = Topology::Direct;
    case.hang_up.alice = Some(Duration::from_secs(3));
    case.plan = "bob>carol INVITE:+10s".parse().unwrap_or_default();
});

fn attended(case: &mut Case) {
    answered(case);
    case.transfer = Some(Duration::from_secs(1));
    case.attended = true;
    case.hang_up = ByWhom::NOBODY;
}

/// Alice sends Bob to Carol, and he hangs up when Carol's phone begins to ring: his NOTIFY comes before his BYE.
pub(super) const OVERTAKEN: Scene = Scene::with(|case| {
    answered(case);
    case.topology = Topology::Direct;
    case.ring_after = Some(Duration::from_millis(100));
    case.transfer = Some(Duration::from_millis(1));
    case.hang_up = ByWhom { bob: Some(Duration::from_millis(110)), ..ByWhom::NOBODY };
    case.plan = "bob>alice BYE#1:drop".parse().unwrap_or_default();
});

/// Both want a session timer, and the call lasts long enough for two refreshes.
pub(super) const TIMED: Scene = Scene::with(timed);
/// No refresh comes to Bob.
pub(super) const REFRESHED_IN_VAIN: Scene = Scene::with(|case| {
    timed(case);
    case.plan = "*>bob UPDATE:drop".parse().unwrap_or_default();
});

fn timed(case: &mut Case) {
    answered(case);
    case.session_expires = Some(90);
    case.hang_up = ByWhom::NOBODY;
    case.calm_after = Duration::from_secs(150);
}

fn reliable(case: &mut Case) {
    answered(case);
    case.reliable = true;
}

fn challenged(case: &mut Case) {
    answered(case);
    case.challenge.bob = true;
    case.hang_up = ByWhom::ALICE;
}

fn held(case: &mut Case) {
    answered(case);
    case.hold.alice = Some(Duration::from_secs(1));
    case.change_reply = Reply::Answer(Duration::ZERO);
    case.hang_up = ByWhom::NOBODY;
}

fn answered(case: &mut Case) {
    case.ring_after = Some(Duration::from_millis(100));
    case.reply = Reply::Answer(Duration::from_secs(2));
    case.cancel_after = None;
    case.ring_limit = Duration::from_secs(60);
    case.calm_after = Duration::from_secs(80);
}

/// Bob's two phones say no.
pub(super) const REJECTED_BY_BOTH: Scene = Scene::with(rejected_by_both);
/// One of Bob's two phones declines, and the other rings.
pub(super) const DECLINED_BY_ONE: Scene = Scene {
    adapt: |case| {
        rejected_by_both(case);
        case.plan = "bob2>biloxi 486/INVITE:+3s".parse().unwrap_or_default();
    },
    provoked: Some(("bob", servers::FIRST_DECLINES)),
};
/// The second of Bob's two phones fails.
pub(super) const FAILED_BY_ONE: Scene =
    Scene { adapt: rejected_by_both, provoked: Some(("bob", servers::SECOND_FAILS)) };
/// Both of Bob's phones ask for credentials.
pub(super) const CHALLENGED_BY_BOTH: Scene = Scene::with(|case| {
    challenged(case);
    case.topology = Topology::Fork(2);
});
/// Both of Bob's phones ring when Alice cancels.
pub(super) const CANCELLED_AT_BOTH: Scene = Scene::with(|case| {
    (CANCELLED.adapt)(case);
    case.topology = Topology::Fork(2);
    case.ring_after = Some(Duration::from_millis(100));
});
/// Alice's INVITE may go no further than to the first proxy.
pub(super) const NO_HOPS_LEFT: Scene = Scene { adapt: at_home, provoked: Some(("alice", servers::NO_HOPS_LEFT)) };
/// Bob's second phone registers a little later than the first.
pub(super) const REGISTERED_ONE_BY_ONE: Scene = Scene::with(|case| {
    answered(case);
    case.topology = Topology::Fork(2);
    case.plan = "bob2>biloxi REGISTER:+200ms".parse().unwrap_or_default();
});
/// Bob is said to be where he is called.
pub(super) const BOUND_TO_ITSELF: Scene = Scene { adapt: at_home, provoked: Some(("bob", servers::BINDS_TO_ITSELF)) };
/// A call to Bob's domain.
pub(super) const AT_HOME: Scene = Scene::with(at_home);
pub(super) const REGISTERS_LATE: Scene = Scene { adapt: at_home, provoked: Some(("bob", servers::OLD_REGISTER)) };
pub(super) const REMOVES_ALL_IN_AN_HOUR: Scene =
    Scene { adapt: at_home, provoked: Some(("bob", servers::STAR_FOR_AN_HOUR)) };
pub(super) const REGISTERS_BRIEFLY: Scene = Scene { adapt: at_home, provoked: Some(("bob", servers::BRIEF_REGISTER)) };
pub(super) const UNREGISTERED: Scene = Scene { adapt: at_home, provoked: Some(("bob", servers::UNREGISTERS)) };
pub(super) const REGISTERED_BY_PATH: Scene = Scene { adapt: at_home, provoked: Some(("bob", servers::HAS_PATH)) };
/// For the registrar two hours pass before Alice calls.
pub(super) const BINDING_ENDS: Scene = Scene::with(|case| {
    at_home(case);
    case.plan = "biloxi@500ms:clock(+7300s)".parse().unwrap_or_default();
});
/// Alice asks somebody's bare address through the proxy.
pub(super) const STRANGER_ASKS: Scene = Scene { adapt: at_home, provoked: Some(("alice", servers::ASKS_BARE_ADDRESS)) };
/// Alice has seen a token of a proxy, and uses it for something else.
pub(super) const TOKEN_IS_STOLEN: Scene =
    Scene { adapt: RECORDED.adapt, provoked: Some(("alice", servers::STEALS_TOKEN)) };
/// Alice makes a token up.
pub(super) const TOKEN_IS_FORGED: Scene =
    Scene { adapt: RECORDED.adapt, provoked: Some(("alice", servers::FORGES_TOKEN)) };

/// A call to a domain.
fn at_home(case: &mut Case) {
    answered(case);
    case.topology = Topology::OneProxy;
}

fn rejected_by_both(case: &mut Case) {
    case.topology = Topology::Fork(2);
    case.ring_after = Some(Duration::from_millis(10));
    case.reply = Reply::Reject(Duration::from_millis(500));
    case.cancel_after = None;
}
