//! Where a request can come to, by a walk over the routes of the network (RFC 3261 §16.4 to §16.6, §16.12). It shares nothing with the
//! stack: URIs are text.

use std::collections::{BTreeSet, VecDeque};

use super::plan::{Ask, Contact, Kind, Net, domain};

/// The requests that a node can forward further, from 70 on.
const HOPS: usize = 70;
/// A stateful proxy refuses a request that has so many Vias of it behind the topmost one.
const PASSES: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    at: usize,
    uri: String,
    routes: Vec<String>,
}

/// The user and the host of a SIP URI without port.
fn parts(uri: &str) -> (Option<&str>, &str) {
    let rest = uri.strip_prefix("sip:").unwrap_or(uri);
    let rest = rest.split(';').next().unwrap_or(rest);
    match rest.split_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, rest),
    }
}

fn is_loose(uri: &str) -> bool {
    uri.split(';').skip(1).any(|parameter| parameter == "lr")
}

/// The next state of a request that leaves `from` for `uri` along `routes`: a strict router is asked by the Request-URI (§16.6 step 6).
fn leave(net: &Net, from: usize, uri: &str, routes: &[String], next_hop: Option<usize>) -> Option<State> {
    let (mut uri, mut routes) = (uri.to_owned(), routes.to_vec());
    if routes.first().is_some_and(|first| !is_loose(first)) {
        let first = routes.remove(0);
        routes.push(std::mem::replace(&mut uri, first.clone()));
        return arrive(net, from, net.named(parts(&first).1), uri, routes);
    }
    let to = next_hop.or_else(|| net.named(parts(routes.first().unwrap_or(&uri)).1));
    arrive(net, from, to, uri, routes)
}

fn arrive(net: &Net, from: usize, to: Option<usize>, uri: String, routes: Vec<String>) -> Option<State> {
    to.filter(|to| net.nodes[from].meets(&net.nodes[*to])).map(|at| State { at, uri, routes })
}

/// Where a node sends a request on to.
fn next(net: &Net, state: &State) -> Vec<State> {
    let at = state.at;
    let node = &net.nodes[at];
    let names_us = |uri: &str| net.named(parts(uri).1) == Some(at);
    let (mut uri, mut routes) = (state.uri.clone(), state.routes.clone());
    match node.kind {
        Kind::Phone => return Vec::new(),
        Kind::Strict => {
            if !routes.is_empty() {
                uri = routes.remove(0);
            }
            return arrive(net, at, net.named(parts(&uri).1), uri, routes).into_iter().collect();
        }
        Kind::Stateful | Kind::Stateless => {}
    }
    // From a strict router (§16.4).
    if names_us(&uri) && parts(&uri).0.is_none() && is_loose(&uri) && !routes.is_empty() {
        uri = routes.pop().expect("a route");
    }
    if routes.first().is_some_and(|first| names_us(first)) {
        routes.remove(0);
    }
    let (user, host) = parts(&uri);
    let is_domain = host == domain(at);
    if !routes.is_empty() && !is_domain {
        return leave(net, at, &uri, &routes, None).into_iter().collect();
    }
    if is_domain && user.is_none() {
        return Vec::new();
    }
    let keyed = || node.routes.iter().find(|(key, _)| domain(*key) == host).map(|(_, to)| *to);
    if let Some(to) = keyed().filter(|_| routes.is_empty()) {
        return leave(net, at, &uri, &routes, Some(to)).into_iter().collect();
    }
    if is_domain {
        let contacts = contacts(net, at, user.unwrap_or_default());
        if !contacts.is_empty() {
            return contacts.iter().filter_map(|contact| leave(net, at, contact, &routes, None)).collect();
        }
    }
    match node.default {
        Some(to) if routes.is_empty() => leave(net, at, &uri, &routes, Some(to)).into_iter().collect(),
        _ if is_domain => Vec::new(),
        _ => leave(net, at, &uri, &routes, None).into_iter().collect(),
    }
}

/// The targets that a proxy has for a user of its domain.
fn contacts(net: &Net, at: usize, user: &str) -> Vec<String> {
    let node = &net.nodes[at];
    let uris = |contacts: &[Contact]| contacts.iter().map(|contact| net.uri(*contact)).collect::<Vec<_>>();
    match node.kind {
        Kind::Stateless => uris(&node.users[0]).into_iter().take(1).collect(),
        _ => {
            let place = user.strip_prefix('u').and_then(|place| place.parse::<usize>().ok());
            let bound = place.and_then(|place| node.users.get(place)).filter(|_| net.registrant(at).is_some());
            bound.map(|contacts| uris(contacts)).unwrap_or_default()
        }
    }
}

/// The phones that a request comes to.
pub(super) fn reached(net: &Net, ask: &Ask) -> BTreeSet<usize> {
    let routes: Vec<String> = ask.via.iter().map(|place| net.route(*place)).collect();
    let mut phones = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let first = leave(net, ask.from, &net.uri(ask.to), &routes, None);
    // With the nodes that it has passed, the last one at the end.
    let mut open: VecDeque<(State, Vec<usize>)> = first.into_iter().map(|state| (state, vec![ask.from])).collect();
    while let Some((state, passed)) = open.pop_front() {
        let behind = &passed[..passed.len() - 1];
        let passes = behind.iter().filter(|place| **place == state.at).count();
        let is_refused = net.nodes[state.at].kind == Kind::Stateful && passes >= PASSES;
        if is_refused || !seen.insert(state.clone()) {
            continue;
        }
        if net.nodes[state.at].kind == Kind::Phone {
            phones.insert(state.at);
        }
        if passed.len() <= HOPS {
            let passed = [passed.as_slice(), &[state.at]].concat();
            open.extend(next(net, &state).into_iter().map(|state| (state, passed.clone())));
        }
    }
    phones
}
