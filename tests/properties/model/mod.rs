//! User agents do drawn things at drawn moments over drawn faults, and a small model says what all of them must believe in the end.
//!
//! The model of a call: it is over as soon as a user ends it or is told of its end, and then neither end has it. Else both have it, both
//! were told so, and the same offers were answered at both, in the same order. In a call that is over the last offer may have been
//! answered without that the other end knows. Each end is told once. A call whose place another has taken is over. A response
//! that an event tells of has come in. What is subscribed to: `watched.rs`.

mod heard;
mod overtaken;
mod player;
mod transfers;
mod watched;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sansip::extension::Extension;
use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Profile, UserAgent};
use sansip::{Config, Duration, Instant, Listener, NextHop, Seed};
use sansip_sim::Setting;
use sansip_sim::actor::{Actor, CallState};
use sansip_sim::fault::Weather;
use sansip_sim::link::{Conditions, Link, Links, Probability};
use sansip_sim::planted::{Claims, Faulty, Hooks, How, TABLE};
use sansip_sim::topology::{Domain, Scene};

use player::{Act, End, Kind, Log, Player, Reactions};

/// How many runs a normal test run tries; `SANSIP_MODEL_CASES` says another number.
const CASES: u32 = 2_000;
/// These tests share the cases, so that they run at once.
const SHARES: u32 = 4;

/// The acts end and the weather with them.
const CALM: Instant = Instant::from_millis(30_000);
/// By then all that was begun has come to its end: 64·T1 three times, for an INVITE, its 2xx and a BYE.
const SETTLED: Instant = Instant::from_millis(130_000);
/// By then nothing is left of calls that are hung up.
const END: Instant = Instant::from_millis(300_000);

#[derive(Clone, Debug)]
struct Script {
    users: usize,
    proxy: bool,
    record_route: bool,
    /// Who, when in milliseconds, what, and with which call or whom.
    acts: Vec<(usize, u64, Kind, usize)>,
    calls: Vec<(Option<Kind>, u64)>,
    changes: Vec<(Option<Kind>, u64)>,
    /// When the state of the notifier changes, in milliseconds, and whether the last change ends all subscriptions.
    states: (Vec<u64>, bool),
    seed: u64,
    loss: u32,
    late: u32,
    /// Faults besides those that are drawn.
    plan: &'static str,
}

fn scripts() -> impl Strategy<Value = Script> {
    let kind = prop_oneof![
        6 => Just(Kind::Call),
        2 => Just(Kind::CallWithoutOffer),
        8 => Just(Kind::Modify),
        6 => Just(Kind::Update),
        2 => Just(Kind::Ask),
        2 => prop_oneof![2 => Just(Kind::Refer), 2 => Just(Kind::ReferToReplace), 1 => Just(Kind::Subscribe)],
        2 => prop_oneof![2 => Just(Kind::Watch), 1 => Just(Kind::Refresh), 1 => Just(Kind::Unsubscribe)],
        1 => prop_oneof![Just(Kind::Ring), Just(Kind::Answer), Just(Kind::Accept), Just(Kind::Refuse)],
        1 => prop_oneof![Just(Kind::Reject), Just(Kind::Cancel), Just(Kind::HangUp)],
    ];
    let acts = prop::collection::vec((0..3_usize, 1_000..30_000_u64, kind, 0..4_usize), 4..40);
    let soon = || prop_oneof![0..100_u64, 0..6_000_u64];
    let call = prop_oneof![7 => Just(Some(Kind::Answer)), 1 => Just(Some(Kind::Reject)), 2 => Just(None)];
    let change = prop_oneof![7 => Just(Some(Kind::Accept)), 2 => Just(Some(Kind::Refuse)), 1 => Just(None)];
    let reactions = (prop::collection::vec((call, soon()), 1..4), prop::collection::vec((change, soon()), 1..6));
    let network = (any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>(), 0..30_u32, 0..30_u32);
    let states = (prop::collection::vec(1_000..35_000_u64, 1..6), prop::bool::weighted(0.2));
    let states = states.prop_map(|(mut changes, ends)| {
        changes.sort_unstable();
        (changes, ends)
    });
    let drawn = (network, acts, reactions, states);
    drawn.prop_map(|((third, proxy, record_route, seed, loss, late), acts, (calls, changes), states)| {
        let users = if proxy || third { 3 } else { 2 };
        Script { users, proxy, record_route, acts, calls, changes, states, seed, loss, late, plan: "" }
    })
}

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

fn acts_of(script: &Script, user: usize) -> (Vec<Act>, Reactions) {
    let own = script.acts.iter().filter(|(who, ..)| who % script.users == user);
    let at = |(_, at, kind, which): &(usize, u64, Kind, usize)| Act {
        at: Instant::from_millis(*at),
        kind: *kind,
        which: *which,
        call: None,
    };
    let mut acts: Vec<Act> = own.map(at).collect();
    acts.sort_by_key(|act| act.at);
    (acts, Reactions { calls: script.calls.clone().into(), changes: script.changes.clone().into() })
}

/// Runs a script, with a mistake at Bob's if one is given, and says what is not as the model says.
fn contradictions(script: &Script, mistake: Option<Hooks>) -> Vec<String> {
    played(script, mistake).0
}

/// As [`contradictions`], with what became of the subscriptions of each user.
fn played(script: &Script, mistake: Option<Hooks>) -> (Vec<String>, Vec<transfers::Shared>) {
    let conditions = Conditions {
        loss: Probability::percent(script.loss),
        duplication: Probability::percent(script.late),
        reordering: Probability::percent(script.late),
        latest: Duration::from_millis(2_000),
        ..Conditions::FINE
    };
    let links = Links::all(Link { conditions, ..Link::default() });
    let weather = Some(Weather { seed: script.seed, from: Instant::from_millis(1_000), calm_from: CALM });
    let plan = script.plan.parse().expect("a plan");
    let mut scene = Scene::new(Setting { links, weather, plan, ..Setting::default() });
    if script.proxy {
        let domain = Domain::new("biloxi", [192, 0, 2, 9]).names(&["biloxi.com"]);
        scene.domain(domain.record_route(script.record_route));
    }
    let mut world = scene.world(&mut |_, node| node);
    let mut logs: Vec<Log> = Vec::new();
    let mut all: Vec<transfers::Shared> = Vec::new();
    for (user, name) in NAMES.into_iter().enumerate().take(script.users) {
        let address: NameAddrBuf = format!("<sip:{name}@biloxi.com>").parse().expect("a name-addr");
        let peers = (0..script.users).filter(|peer| *peer != user).map(|peer| {
            let host = if script.proxy { "biloxi.com".to_owned() } else { format!("192.0.2.{}", peer + 1) };
            format!("<sip:{}@{host}>", NAMES[peer]).parse().expect("a name-addr")
        });
        let outbound =
            script.proxy.then(|| NextHop::from("biloxi.com".parse::<sansip::message::HostBuf>().expect("a host")));
        let mut profile =
            Profile { outbound, methods: ["INFO", "REFER"].map(Into::into).into(), ..Profile::new(address) };
        profile.extensions = profile.extensions.with(Extension::Replaces);
        let mut agent = UserAgent::user_agent(Config::new(Seed::from_u64(user as u64 + 1)), profile);
        let at = Listener::udp(([192, 0, 2, user as u8 + 1], 5060).into());
        let bound = (agent.listen(at.clone()), at.local);
        let registrar = script.proxy.then(|| "sip:biloxi.com".parse().expect("a URI"));
        let first = user as u32 * 1_000_000;
        let (player, log, shared) =
            Player::new(agent, registrar, peers.collect(), acts_of(script, user), [CALM, SETTLED], first, name);
        logs.push(log);
        all.push(shared);
        let player: Box<dyn Actor> = match mistake {
            Some(hooks) if user == 1 => Box::new(Faulty::new(Box::new(player), hooks)),
            _ => Box::new(player),
        };
        world.add(name, player, [bound]);
    }
    let (notifier, bound, subscribers) = watched::notifier(&script.states.0, script.states.1);
    world.add("notifier", Box::new(notifier), [bound]);
    let before_the_end = Instant::from_millis(129_999);
    world.run_until(before_the_end);
    let mut wrong = judge(&logs, &|user, call_id| {
        let mut actors = world.actors().filter(|(_, name, _)| *name == NAMES[user]);
        let calls = actors.next().map(|(.., actor)| actor.calls()).unwrap_or_default();
        calls.into_iter().find(|call| call.call_id == call_id).map(|call| call.state)
    });
    wrong.extend(watched::judge(before_the_end, &subscribers, &transfers::beliefs(&all)));
    if !world.run_until_quiet(END) {
        wrong.push("somebody is not idle in the end".to_owned());
    }
    wrong.extend(transfers::judge(&all));
    for (_, name, actor) in world.actors() {
        wrong.extend(actor.census().left_over().map(|(what, number)| format!("{name} has {number} {what} left")));
    }
    (wrong, all)
}

/// Every call, held against the model.
fn judge(logs: &[Log], state: &dyn Fn(usize, &str) -> Option<CallState>) -> Vec<String> {
    let all: Vec<(usize, End)> = logs
        .iter()
        .enumerate()
        .flat_map(|(user, log)| log.lock().expect("a log").iter().map(|end| (user, end.clone())).collect::<Vec<_>>())
        .collect();
    let mut wrong = Vec::new();
    for (user, caller) in all.iter().filter(|(_, end)| end.is_caller) {
        let called: Vec<_> = all.iter().filter(|(_, end)| !end.is_caller && end.call_id == caller.call_id).collect();
        let ends: Vec<&(usize, End)> = all.iter().filter(|(_, end)| end.call_id == caller.call_id).collect();
        let mut say = |what: String| wrong.push(format!("{} of {}: {what}", caller.call_id, NAMES[*user]));
        for (who, end) in &ends {
            if let Some(what) = &end.wrong {
                say(format!("{}: {what}", NAMES[*who]));
            }
        }
        let replaced = caller.replaces.as_ref().filter(|_| caller.is_up);
        if let Some(replaced) = replaced
            && !all.iter().any(|(_, end)| end.call_id == *replaced && end.is_over)
        {
            say(format!("it has taken the place of {replaced}, which nobody was told"));
        }
        let states: Vec<_> = ends.iter().map(|(who, _)| state(*who, &caller.call_id)).collect();
        if ends.iter().any(|(_, end)| end.is_over) {
            if states.iter().any(Option::is_some) {
                say(format!("it is over, and the ends are {states:?}"));
            }
            if let [(_, called)] = called.as_slice() {
                let (long, short) = if caller.agreed.len() > called.agreed.len() {
                    (&caller.agreed, &called.agreed)
                } else {
                    (&called.agreed, &caller.agreed)
                };
                if !long.starts_with(short) || long.len() > short.len() + 1 {
                    say(format!("the offers {:?} and {:?} were answered", caller.agreed, called.agreed));
                }
            }
            continue;
        }
        match called.as_slice() {
            [(_, called)] => {
                if states.iter().any(|state| *state != Some(CallState::Established)) {
                    say(format!("nobody ended it, and the ends are {states:?}"));
                }
                if !caller.is_up || !called.is_up {
                    say(format!("nobody ended it, and it is up: {} and {}", caller.is_up, called.is_up));
                }
                if caller.agreed != called.agreed {
                    say(format!("the offers {:?} and {:?} were answered", caller.agreed, called.agreed));
                }
            }
            others => say(format!("nobody ended it, and {} others have it", others.len())),
        }
    }
    wrong
}

fn cases() -> u32 {
    let said = std::env::var("SANSIP_MODEL_CASES").ok().and_then(|cases| cases.parse().ok());
    said.unwrap_or(CASES).div_ceil(SHARES)
}

/// One share of the cases, always the same ones.
fn share(number: u8) {
    let config = ProptestConfig { cases: cases(), max_shrink_iters: 4_000, ..ProptestConfig::default() };
    let seed = [number; 32];
    let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let done = runner.run(&scripts(), |script| {
        let wrong = contradictions(&script, None);
        prop_assert!(wrong.is_empty(), "{wrong:#?}");
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

#[test]
fn all_believe_what_the_model_says_1() {
    share(1);
}

#[test]
fn all_believe_what_the_model_says_2() {
    share(2);
}

#[test]
fn all_believe_what_the_model_says_3() {
    share(3);
}

#[test]
fn all_believe_what_the_model_says_4() {
    share(4);
}

/// The outcome of a REFER is told wrong.
const WRONG_OUTCOME: Hooks = Hooks {
    sending: |_, kind, text| {
        vec![if kind == "NOTIFY" { text.replace("SIP/2.0 200 OK", "SIP/2.0 486 OK") } else { text }]
    },
    hearing: |_, _, text| vec![text],
    claims: Claims::Truth,
};

/// A NOTIFY is taken for one that tells the first state.
const STATE_OVERHEARD: Hooks = Hooks {
    sending: |_, _, text| vec![text],
    hearing: |_, kind, text| match text.rsplit_once("\r\n\r\n") {
        Some((head, state)) if kind == "NOTIFY" && state.len() == 1 => vec![format!("{head}\r\n\r\n0")],
        _ => vec![text],
    },
    claims: Claims::Truth,
};

/// A subscription is taken to last longer than it does.
const EXPIRY_MISREAD: Hooks = Hooks {
    sending: |_, _, text| vec![text],
    hearing: |_, _, text| {
        vec![text.replace("Expires: 40\r", "Expires: 900\r").replace("active;expires=", "active;expires=9")]
    },
    claims: Claims::Truth,
};

/// The property can fail: each of these mistakes at one end is found.
#[test]
fn mistakes_contradict_the_model() {
    let planted = |name: &str| {
        let planted = TABLE.into_iter().find(|planted| planted.name == name).expect("it is in the table");
        let How::Wrapped(_, hooks) = planted.how else { panic!("{name} is a patch") };
        hooks
    };
    let mut mistakes = vec![
        ("wrong-outcome", WRONG_OUTCOME),
        ("state-overheard", STATE_OVERHEARD),
        ("expiry-misread", EXPIRY_MISREAD),
    ];
    mistakes.extend(
        ["bye-overlooked", "bye-missing", "changed-though-refused", "replaces-ignored"]
            .map(|name| (name, planted(name))),
    );
    for (name, hooks) in mistakes {
        let mut runner = TestRunner::deterministic();
        let found = (0..1_000).any(|_| {
            let script = scripts().new_tree(&mut runner).expect("a script").current();
            !contradictions(&script, Some(hooks)).is_empty()
        });
        assert!(found, "{name} was not found");
    }
}
