//! A server of a farm dies at any moment: calls that are there stay, and end well; those that are set up end by a final response or a timer.

use sansip::Instant;
use sansip_sim::check::{breaches, standard};
use sansip_sim::render::ladder;
use sansip_sim::run::{Case, run};
use sansip_sim::topology::CALL_AT;
use sansip_sim::trace::{Note, What};
use sansip_sim::world::World;

/// The call of a farm of two servers, with these options more.
fn case(options: &str) -> Case {
    format!("sansip-sim call --topology farm:2 {options}").parse().expect("a case")
}

/// Every moment of the run at which something was sent, as a time of a plan a nanosecond later: nothing of it has arrived.
fn moments(case: &Case) -> Vec<Instant> {
    let world = run(case).world;
    let mut moments: Vec<_> = world.trace().transmissions().map(|(_, at, _)| at).filter(|at| *at >= CALL_AT).collect();
    moments.dedup();
    moments.into_iter().map(|at| Instant::from_nanos(at.as_nanos() + 1)).collect()
}

/// When both phones have the call for good: the ACK has arrived.
fn established(world: &World) -> Option<Instant> {
    let bob = world.node("bob")?;
    let is_ack = |sent: usize| world.trace().sent(sent).is_some_and(|sent| sent.bytes.starts_with(b"ACK "));
    let mut arrived = world.trace().entries().iter().filter_map(|entry| match entry.what {
        What::Arrived { node, sent } if node == bob && is_ack(sent) => Some(entry.time),
        _ => None,
    });
    arrived.next()
}

/// How each phone says that its call has ended.
fn ends(world: &World) -> Vec<&str> {
    let notes = world.trace().entries().iter().filter_map(|entry| match &entry.what {
        What::Noted { note: Note::CallEnded { why, .. }, .. } => Some(why.as_str()),
        _ => None,
    });
    notes.collect()
}

/// Runs the call with these faults at each of its moments, `@` being the moment.
fn at_any_moment(options: &str, faults: &str) {
    let quiet = case(options);
    let since = established(&run(&quiet).world).expect("a call");
    let mut both = [0, 0];
    for moment in moments(&quiet) {
        let plan = faults.replace('@', &format!("@{}ns", moment.as_nanos())).parse().expect("a plan");
        let case = Case { plan, ..quiet.clone() };
        let world = run(&case).world;
        let broken = breaches(&standard(), &world);
        assert!(world.is_quiet() && broken.is_empty(), "{case}\n{broken:#?}\n{}", ladder(world.trace()));
        let ends = ends(&world);
        let stays = moment > since;
        both[usize::from(stays)] += 1;
        if stays {
            let is_well = ends.iter().all(|why| ["hung up", "the other hung up"].contains(why));
            assert!(ends.len() == 2 && is_well, "{case}\n{ends:?}\n{}", ladder(world.trace()));
        } else {
            assert!(!ends.is_empty(), "{case}\n{}", ladder(world.trace()));
        }
    }
    assert!(both[0] > 5 && both[1] > 3, "{both:?}");
}

#[test]
fn a_server_that_dies_at_any_moment_ends_no_call_that_is_there() {
    for options in ["", "--hang-up alice", "--hang-up nobody", "--hold bob:1s"] {
        for server in ["s1", "s2"] {
            at_any_moment(options, &format!("{server}@:crash"));
        }
    }
}

#[test]
fn nor_does_the_front_if_it_starts_anew_then_or_forgets_that_a_server_is_dead() {
    at_any_moment("", "biloxi@:restart");
    at_any_moment("--hang-up alice", "s2@:crash, biloxi@:restart");
}

#[test]
fn a_server_that_comes_back_is_taken_again() {
    at_any_moment("", "s2@:restart");
}
