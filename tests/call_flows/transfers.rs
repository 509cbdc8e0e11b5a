//! Transfers of a call among three user agents, as ladders beside the figures of RFC 5359 §2.4 and §2.5.

use sansip::extension::{Extension, Extensions};
use sansip::message::UriBuf;
use sansip::user_agent::{Body, Profile, Refer};
use sansip::{CommandError, Instant};
use sansip_sim::actor::CallState;
use sansip_sim::check::{breaches, standard};
use sansip_sim::{Setting, World};

use crate::drawn;
use crate::phone::Phone;

/// Alice is at 192.0.2.1, Bob at 192.0.2.2 and Carol at 192.0.2.3. Each can be referred and replaced.
fn phone(identity: &str, last: u8) -> Phone {
    let profile = Profile {
        capabilities: false,
        extensions: Extensions::of(&[Extension::Replaces]),
        methods: ["REFER", "NOTIFY"].map(Into::into).into(),
        ..Profile::new(identity.parse().expect("an identity"))
    };
    Phone::with(profile, [192, 0, 2, last])
}

/// A session description of that version and direction (RFC 3264 §8.4).
fn session(version: u32, direction: &str) -> Body {
    Body::sdp(format!(
        "v=0\r\no=user 1 {version} IN IP4 192.0.2.4\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na={direction}\r\n"
    ))
}

fn carol() -> UriBuf {
    "sip:carol@192.0.2.3".parse().expect("a URI")
}

fn ring(phone: &mut Phone) -> Result<(), CommandError> {
    phone.agent.ring(phone.now, phone.call())
}

fn answer(phone: &mut Phone) -> Result<(), CommandError> {
    phone.agent.answer(phone.now, phone.call(), session(1, "sendrecv"))
}

fn follow(phone: &mut Phone) -> Result<(), CommandError> {
    phone.follow(session(1, "sendrecv"))
}

/// Runs the three; who has how many established calls at that moment, in milliseconds; and then to the end.
fn world(phones: [Phone; 3], moment: u64) -> (World, [usize; 3]) {
    let mut world = World::new(Setting::default());
    for (phone, name) in phones.into_iter().zip(["alice", "bob", "carol"]) {
        phone.join(&mut world, name);
    }
    world.run_until(Instant::from_millis(moment));
    let mut actors = world
        .actors()
        .map(|(.., actor)| actor.calls().iter().filter(|call| call.state == CallState::Established).count());
    let calls = std::array::from_fn(|_| actors.next().unwrap_or_default());
    drop(actors);
    let quiet = world.run_until_quiet(Instant::from_millis(240_000));
    let broken = breaches(&standard(), &world);
    assert!(quiet && broken.is_empty(), "{broken:#?}\n{}", drawn(&world));
    (world, calls)
}

/// §2.4: Bob has called Alice, who transfers him to Carol and hangs up at once. The subscription of her REFER outlives the call.
pub(crate) fn unattended() -> World {
    let bob = phone("Bob <sip:bob@biloxi.com>", 2)
        .at(0, |bob| bob.dial("<sip:alice@192.0.2.1>", Some(session(1, "sendrecv"))))
        .at(3_030, follow)
        .at(5_000, Phone::tell_end)
        .at(8_000, |bob| bob.agent.hang_up(bob.now, bob.nth(1)));
    let alice = phone("Alice <sip:alice@atlanta.com>", 1)
        .at(100, ring)
        .at(1_000, answer)
        .at(3_000, |alice| alice.agent.refer(alice.now, alice.call(), &carol()).map(drop))
        .at(3_100, |alice| alice.agent.hang_up(alice.now, alice.call()));
    let carol = phone("Carol <sip:carol@chicago.com>", 3).at(3_200, ring).at(4_000, answer);
    let (world, calls) = world([alice, bob, carol], 6_000);
    assert_eq!(calls, [0, 1, 1], "Bob talks to Carol");
    world
}

#[test]
fn rfc5359_2_4_transfer_unattended() {
    insta::assert_snapshot!(drawn(&unattended()));
}

/// §2.5: Bob puts Alice on hold, talks to Carol, puts her on hold too, and has Alice take his place.
pub(crate) fn attended() -> World {
    let accept = |phone: &mut Phone| {
        let call = phone.call();
        phone.agent.accept_offer(phone.now, call, session(1, "recvonly"))
    };
    let alice = phone("Alice <sip:alice@atlanta.com>", 1)
        .offered(accept)
        .at(0, |alice| alice.dial("<sip:bob@192.0.2.2>", Some(session(1, "sendrecv"))))
        .at(5_030, follow)
        .at(7_000, Phone::tell_end)
        .at(10_000, |alice| alice.agent.hang_up(alice.now, alice.nth(1)));
    let bob = phone("Bob <sip:bob@biloxi.com>", 2)
        .at(100, ring)
        .at(1_000, answer)
        .at(2_000, |bob| bob.agent.modify(bob.now, bob.call(), session(2, "sendonly")))
        .at(2_500, |bob| bob.dial("<sip:carol@192.0.2.3>", Some(session(1, "sendrecv"))))
        .at(4_000, |bob| bob.agent.modify(bob.now, bob.nth(1), session(2, "sendonly")))
        .at(5_000, |bob| {
            let replace = bob.agent.replacing(bob.nth(1))?;
            bob.agent.refer(bob.now, bob.call(), Refer::to(&carol()).replaces(&replace)).map(drop)
        })
        .at(7_100, |bob| bob.agent.hang_up(bob.now, bob.call()));
    let carol = phone("Carol <sip:carol@chicago.com>", 3)
        .offered(accept)
        .at(2_600, ring)
        .at(3_000, answer)
        .at(6_000, |carol| carol.agent.answer(carol.now, carol.nth(1), session(1, "sendrecv")));
    let (world, calls) = world([alice, bob, carol], 8_000);
    assert_eq!(calls, [1, 0, 1], "Alice talks to Carol");
    world
}

#[test]
fn rfc5359_2_5_transfer_attended() {
    insta::assert_snapshot!(drawn(&attended()));
}
