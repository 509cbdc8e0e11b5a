use super::*;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use crate::message::Uri;
use crate::random::{Script, Seed};

/// A resolver and the listeners of the client.
struct Net {
    listeners: Listeners,
    limits: Limits,
    records: BTreeMap<String, Vec<Answer>>,
    random: Random,
    computed: Option<u64>,
}

impl Net {
    /// With a listener of each of these protocols, IPv4 and IPv6.
    fn new(protocols: &[Protocol]) -> Self {
        let mut listeners = Listeners::default();
        for protocol in protocols {
            for local in ["192.0.2.1:5060", "[2001:db8::1]:5060"] {
                listeners.add(Listener { protocol: *protocol, ..Listener::udp(local.parse().unwrap()) });
            }
        }
        let random = Random::new(Seed::from_u64(1), Script::default());
        Self { listeners, limits: Limits::default(), records: BTreeMap::new(), random, computed: None }
    }

    fn naptr(mut self, domain: &str, order: u16, preference: u16, service: &str, replacement: &str) -> Self {
        let record = Answer::Naptr {
            order,
            preference,
            flags: "s".into(),
            service: service.into(),
            replacement: replacement.into(),
        };
        self.records.entry(format!("NAPTR {domain}")).or_default().push(record);
        self
    }

    fn srv(mut self, name: &str, priority: u16, weight: u16, port: u16, target: &str) -> Self {
        let record = Answer::Srv { priority, weight, port, target: target.into() };
        self.records.entry(format!("SRV {name}")).or_default().push(record);
        self
    }

    fn host(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|ip| Answer::Address(ip.parse().unwrap()));
        self.records.entry(name.to_string()).or_default().extend(addresses);
        self
    }

    fn with(mut self, question: &str, answer: Answer) -> Self {
        self.records.entry(question.to_string()).or_default().push(answer);
        self
    }

    /// The questions asked, and the ways found, in their order.
    fn find(&mut self, uri: &str) -> (Vec<String>, Vec<String>) {
        let hop = NextHop::of_uri(Uri::parse(uri.as_bytes()).unwrap()).expect("a SIP URI");
        match locate(&hop, &self.listeners, &self.limits, self.computed) {
            Located::At(place) => (vec![], vec![shown(place)]),
            Located::Nowhere => (vec![], vec!["nowhere".to_string()]),
            Located::Search(mut locator) => {
                let mut questions = Vec::new();
                while let Some((asked, question)) = locator.question() {
                    let question = text(&question);
                    let answers = self.records.get(&question).cloned().unwrap_or_default();
                    questions.push(question);
                    locator.answer(asked, &answers, &mut self.random);
                }
                let mut ways = Vec::new();
                while let Some(place) = locator.take(&self.listeners, true, |_| false) {
                    ways.push(shown(place));
                }
                (questions, ways)
            }
        }
    }

    fn ways(&mut self, uri: &str) -> Vec<String> {
        self.find(uri).1
    }
}

fn shown(Place { protocol, address }: Place) -> String {
    format!("{protocol} {address}")
}

fn text(question: &Question) -> String {
    match question {
        Question::Naptr { name } => format!("NAPTR {name}"),
        Question::Srv { name } => format!("SRV {name}"),
        Question::Address { name } => name.to_string(),
    }
}

/// The domain of RFC 3263 §4.1.
fn example_com(protocols: &[Protocol]) -> Net {
    Net::new(protocols)
        .naptr("example.com", 50, 50, "SIPS+D2T", "_sips._tcp.example.com.")
        .naptr("example.com", 90, 50, "SIP+D2T", "_sip._tcp.example.com.")
        .naptr("example.com", 100, 50, "SIP+D2U", "_sip._udp.example.com.")
        .srv("_sip._tcp.example.com", 0, 1, 5060, "server1.example.com")
        .srv("_sip._tcp.example.com", 1, 2, 5060, "server2.example.com")
        .srv("_sip._udp.example.com", 0, 0, 5070, "server3.example.com")
        .srv("_sips._tcp.example.com", 0, 0, 5061, "server1.example.com")
        .host("server1.example.com", &["192.0.2.11"])
        .host("server2.example.com", &["192.0.2.12"])
        .host("server3.example.com", &["192.0.2.13"])
}

const ALL: [Protocol; 3] = [Protocol::Udp, Protocol::Tcp, Protocol::Tls];

#[test]
fn the_example_of_the_rfc_a_client_with_tcp_and_udp_takes_tcp() {
    let (questions, ways) = example_com(&[Protocol::Udp, Protocol::Tcp]).find("sip:user@example.com");
    let asked = ["NAPTR example.com", "SRV _sip._tcp.example.com", "server1.example.com", "server2.example.com"];
    assert_eq!(questions, asked);
    assert_eq!(ways, ["TCP 192.0.2.11:5060", "TCP 192.0.2.12:5060"]);
}

#[test]
fn a_client_with_tls_keeps_the_sips_records_of_a_sip_uri() {
    assert_eq!(example_com(&ALL).ways("sip:user@example.com"), ["TLS 192.0.2.11:5061"]);
}

#[test]
fn a_sips_uri_discards_every_service_that_is_not_sips() {
    let mut net = example_com(&ALL);
    assert_eq!(net.ways("sips:user@example.com"), ["TLS 192.0.2.11:5061"]);
    net.records.remove("SRV _sips._tcp.example.com");
    net.records.insert("example.com".to_string(), vec![Answer::Address([192, 0, 2, 10].into())]);
    assert_eq!(net.ways("sips:user@example.com"), ["TLS 192.0.2.10:5061"]);
    // Without TLS there is no way at all, and nobody is asked.
    let mut plain = example_com(&[Protocol::Udp, Protocol::Tcp]);
    assert_eq!(plain.find("sips:user@example.com"), (vec![], vec!["nowhere".to_string()]));
}

#[test]
fn a_secure_hop_never_leaves_tls_whatever_transport_its_route_names() {
    let net = example_com(&ALL);
    let hop =
        |protocol| NextHop { protocol, secure: true, ..NextHop::from(HostBuf::from(IpAddr::from([192, 0, 2, 9]))) };
    let found = |protocol| match locate(&hop(protocol), &net.listeners, &net.limits, None) {
        Located::At(place) => shown(place),
        other => format!("{other:?}"),
    };
    assert_eq!(found(None), "TLS 192.0.2.9:5061");
    assert_eq!(found(Some(Protocol::Tcp)), "TLS 192.0.2.9:5061");
    assert_eq!(found(Some(Protocol::Ws)), "WSS 192.0.2.9:443");
    assert_eq!(found(Some(Protocol::Udp)), "Nowhere");
    assert_eq!(found(Some(Protocol::Sctp)), "Nowhere");
}

#[test]
fn an_address_asks_nobody() {
    let mut net = example_com(&ALL);
    let mut at = |uri| net.find(uri);
    for (uri, way) in [
        ("sip:192.0.2.9", "UDP 192.0.2.9:5060"),
        ("sip:192.0.2.9:5070", "UDP 192.0.2.9:5070"),
        ("sips:192.0.2.9", "TLS 192.0.2.9:5061"),
        ("sips:192.0.2.9:5060", "TLS 192.0.2.9:5060"),
        ("sip:[2001:db8::9]", "UDP [2001:db8::9]:5060"),
        ("sip:[2001:db8::9]:5070;transport=tcp", "TCP [2001:db8::9]:5070"),
        ("sip:192.0.2.9;transport=tls", "TLS 192.0.2.9:5061"),
        ("sip:192.0.2.9;transport=ws", "WS 192.0.2.9:80"),
        ("sip:example.com;maddr=192.0.2.9", "UDP 192.0.2.9:5060"),
        ("sip:192.0.2.9:0", "nowhere"),
    ] {
        assert_eq!(at(uri), (vec![], vec![way.to_string()]), "{uri}");
    }
}

#[test]
fn a_port_asks_for_addresses_only() {
    let mut net = example_com(&ALL).host("example.com", &["192.0.2.10", "2001:db8::10"]);
    let (questions, ways) = net.find("sip:user@example.com:5060");
    assert_eq!(questions, ["example.com"]);
    assert_eq!(ways, ["UDP 192.0.2.10:5060", "UDP [2001:db8::10]:5060"]);
    assert_eq!(net.ways("sips:user@example.com:5070")[0], "TLS 192.0.2.10:5070");
    assert_eq!(net.ways("sip:user@example.com:5070;transport=tcp")[0], "TCP 192.0.2.10:5070");
}

#[test]
fn a_transport_skips_naptr() {
    let mut net = example_com(&ALL);
    let (questions, ways) = net.find("sip:user@example.com;transport=udp");
    assert_eq!(questions, ["SRV _sip._udp.example.com", "server3.example.com"]);
    assert_eq!(ways, ["UDP 192.0.2.13:5070"]);
    // TLS has the service `_sips` for a SIP URI as well (§4.2).
    for uri in ["sip:example.com;transport=tls", "sips:example.com;transport=tcp"] {
        assert_eq!(net.find(uri).0, ["SRV _sips._tcp.example.com", "server1.example.com"]);
    }
    for (transport, name) in [("sctp", "_sip._sctp"), ("ws", "_sip._ws"), ("wss", "_sips._ws")] {
        assert_eq!(net.find(&format!("sip:example.com;transport={transport}")).0[0], format!("SRV {name}.example.com"));
    }
}

#[test]
fn the_maddr_is_what_is_looked_up() {
    let mut net = example_com(&ALL).host("gateway.example.org", &["192.0.2.20"]);
    let (questions, ways) = net.find("sip:user@example.com:5070;maddr=gateway.example.org");
    assert_eq!((questions[0].as_str(), ways[0].as_str()), ("gateway.example.org", "UDP 192.0.2.20:5070"));
}

#[test]
fn without_naptr_each_protocol_is_asked_for() {
    let mut net = example_com(&ALL);
    net.records.remove("NAPTR example.com");
    let (questions, ways) = net.find("sip:user@example.com");
    // `_sips` is for SIPS URIs.
    assert_eq!(questions[..3], ["NAPTR example.com", "SRV _sip._udp.example.com", "SRV _sip._tcp.example.com"]);
    assert_eq!(ways, ["UDP 192.0.2.13:5070", "TCP 192.0.2.11:5060", "TCP 192.0.2.12:5060"]);
    let (questions, ways) = net.find("sips:user@example.com");
    assert_eq!(questions[..2], ["NAPTR example.com", "SRV _sips._tcp.example.com"]);
    assert_eq!(ways, ["TLS 192.0.2.11:5061"]);
}

#[test]
fn without_any_service_the_name_is_a_host() {
    let mut net = Net::new(&ALL).host("example.com", &["192.0.2.10"]);
    assert_eq!(net.ways("sip:example.com"), ["UDP 192.0.2.10:5060"]);
    assert_eq!(net.ways("sips:example.com"), ["TLS 192.0.2.10:5061"]);
    assert_eq!(net.ways("sip:example.com;transport=tcp"), ["TCP 192.0.2.10:5060"]);
    assert_eq!(net.ways("sip:nowhere.example.com"), Vec::<String>::new());
    // A client without UDP takes what it has.
    let mut browser = Net::new(&[Protocol::Wss]).host("example.com", &["192.0.2.10"]);
    assert_eq!(browser.ways("sip:example.com"), ["WSS 192.0.2.10:443"]);
    // Services that are not ours do not count.
    let mut udp = example_com(&[Protocol::Udp]).host("example.com", &["192.0.2.10"]);
    udp.records.retain(|name, _| name != "SRV _sip._udp.example.com");
    udp.records.get_mut("NAPTR example.com").unwrap().pop();
    assert_eq!(udp.ways("sip:example.com"), ["UDP 192.0.2.10:5060"]);
}

#[test]
fn a_naptr_service_without_servers_is_looked_for_at_the_name_itself() {
    let mut net = example_com(&[Protocol::Udp, Protocol::Tcp]).host("example.com", &["192.0.2.10"]);
    net.records.remove("SRV _sip._tcp.example.com");
    assert_eq!(net.ways("sip:example.com"), ["TCP 192.0.2.10:5060"]);
}

#[test]
fn of_naptr_records_the_lowest_order_counts_and_within_it_the_preference() {
    let mut net = Net::new(&ALL)
        .naptr("example.com", 20, 1, "SIP+D2U", "_sip._udp.other.example.com")
        .naptr("example.com", 10, 30, "sip+d2u", "_sip._udp.example.com")
        .naptr("example.com", 10, 20, "SIP+D2T", "_sip._tcp.example.com")
        .srv("_sip._tcp.example.com", 0, 0, 5060, "a.example.com")
        .srv("_sip._udp.example.com", 0, 0, 5060, "a.example.com")
        .host("a.example.com", &["192.0.2.11"]);
    // From TCP to UDP, at one host that is asked for once.
    let (questions, ways) = net.find("sip:example.com");
    assert_eq!(ways, ["TCP 192.0.2.11:5060", "UDP 192.0.2.11:5060"]);
    let asked = ["NAPTR example.com", "SRV _sip._tcp.example.com", "SRV _sip._udp.example.com", "a.example.com"];
    assert_eq!(questions, asked);
}

#[test]
fn naptr_records_of_other_applications_and_of_protocols_that_cannot_be_are_passed_over() {
    let naptr = |flags: &str, service: &str, replacement: &str| Answer::Naptr {
        order: 1,
        preference: 1,
        flags: flags.into(),
        service: service.into(),
        replacement: replacement.into(),
    };
    let mut net = Net::new(&ALL)
        .with("NAPTR example.com", naptr("u", "E2U+sip", ""))
        .with("NAPTR example.com", naptr("a", "SIP+D2U", "a.example.com"))
        .with("NAPTR example.com", naptr("s", "SIPS+D2U", "_sips._udp.example.com"))
        .with("NAPTR example.com", naptr("s", "SIP+D2U", "."))
        .with("NAPTR example.com", naptr("s", "SIP+D2U", "not a name"))
        .with("NAPTR example.com", naptr("S", "SIP+D2U", "_SIP._udp.Example.NET."));
    assert_eq!(net.find("sip:example.com").0[1], "SRV _sip._udp.example.net");
}

#[test]
fn web_socket_services_have_names_of_their_own() {
    let mut net = Net::new(&[Protocol::Ws, Protocol::Wss])
        .naptr("example.com", 10, 10, "SIPS+D2W", "_sips._ws.example.com")
        .naptr("example.com", 10, 20, "SIP+D2W", "_sip._ws.example.com")
        .srv("_sips._ws.example.com", 0, 0, 10_443, "a.example.com")
        .srv("_sip._ws.example.com", 0, 0, 10_080, "a.example.com")
        .host("a.example.com", &["192.0.2.11"]);
    assert_eq!(net.ways("sip:example.com"), ["WSS 192.0.2.11:10443", "WS 192.0.2.11:10080"]);
    assert_eq!(net.ways("sips:example.com"), ["WSS 192.0.2.11:10443"]);
}

#[test]
fn addresses_of_two_servers_are_never_mixed() {
    // RFC 7984 §4, shortened.
    let mut net = Net::new(&ALL)
        .srv("_sip._tcp.example.com", 20, 1, 5060, "sip-2.example.com")
        .srv("_sip._tcp.example.com", 10, 1, 5060, "sip-1.example.com")
        .host("sip-1.example.com", &["2001:db8:58:c02::face", "192.0.2.45"])
        .host("sip-2.example.com", &["2001:db8:58:c02::dead", "192.0.2.75"]);
    let expected = [
        "TCP [2001:db8:58:c02::face]:5060",
        "TCP 192.0.2.45:5060",
        "TCP [2001:db8:58:c02::dead]:5060",
        "TCP 192.0.2.75:5060",
    ];
    assert_eq!(net.ways("sip:example.com;transport=tcp"), expected);
}

/// How often each server came first, over many seeds.
fn first_choices(weights: &[(&str, u16)]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for seed in 0..4_000 {
        let mut net = Net::new(&ALL);
        net.random = Random::new(Seed::from_u64(seed), Script::default());
        for (host, weight) in weights {
            net = net.srv("_sip._udp.example.com", 0, *weight, 5060, host).host(host, &[]);
        }
        let (questions, _) = net.find("sip:example.com;transport=udp");
        *counts.entry(questions[1].clone()).or_default() += 1;
    }
    counts
}

#[test]
fn among_equals_the_weight_is_the_share() {
    // RFC 2782's example: "make three quarters of the logins go to new-fast-box".
    let counts = first_choices(&[("old-slow-box", 1), ("new-fast-box", 3)]);
    // The number is drawn from 0 to the sum, inclusive: 0 and 1 are the first's.
    assert!((1_500..1_700).contains(&counts["old-slow-box"]), "{counts:?}");
    let counts = first_choices(&[("a", 100), ("b", 300), ("c", 600)]);
    for (name, expected) in [("a", 400), ("b", 1_200), ("c", 2_400)] {
        assert!(counts[name].abs_diff(expected) < 120, "{counts:?}");
    }
}

#[test]
fn weight_0_is_seldom_chosen_beside_others_and_equal_among_its_like() {
    let counts = first_choices(&[("never", 0), ("always", 1_000)]);
    assert!(counts.get("never").copied().unwrap_or_default() < 20, "{counts:?}");
    let counts = first_choices(&[("a", 0), ("b", 0)]);
    assert!(counts["a"].abs_diff(2_000) < 150, "{counts:?}");
}

#[test]
fn every_server_has_its_turn_in_the_order_of_priority() {
    for seed in 0..100 {
        let mut net = Net::new(&ALL)
            .srv("_sip._udp.example.com", 2, 9, 5060, "c.example.com")
            .srv("_sip._udp.example.com", 1, 5, 5060, "a.example.com")
            .srv("_sip._udp.example.com", 1, 0, 5060, "b.example.com")
            .host("a.example.com", &["192.0.2.1"])
            .host("b.example.com", &["192.0.2.2"])
            .host("c.example.com", &["192.0.2.3"]);
        net.random = Random::new(Seed::from_u64(seed), Script::default());
        let mut ways = net.ways("sip:example.com;transport=udp");
        assert_eq!(ways.pop().as_deref(), Some("UDP 192.0.2.3:5060"));
        ways.sort();
        assert_eq!(ways, ["UDP 192.0.2.1:5060", "UDP 192.0.2.2:5060"]);
    }
}

#[test]
fn the_order_of_the_answers_has_no_influence() {
    let hosts = ["a", "b", "c", "d"];
    let found = |turn: usize, computed: Option<u64>| {
        let mut net = Net::new(&ALL);
        net.computed = computed;
        for place in 0..hosts.len() {
            let host = hosts[(place + turn) % hosts.len()];
            let ip = |n: usize| format!("192.0.2.{n}");
            let (one, other) = (ip(10 + (turn % 2)), ip(11 - (turn % 2)));
            net = net.srv("_sip._udp.example.com", 0, 10, 5060, host).host(host, &[&one, &other, "2001:db8::1"]);
        }
        net.ways("sip:example.com;transport=udp")
    };
    // A stateless proxy: the order of addresses is the same as well (§4.4).
    for seed in 0..20 {
        let ways: Vec<_> = (0..4).map(|turn| found(turn, Some(seed))).collect();
        assert!(ways.iter().all(|other| *other == ways[0]), "{ways:?}");
    }
    let firsts: Vec<_> = (0..20)
        .map(|seed| {
            let mut net = Net::new(&ALL);
            net.computed = Some(seed);
            for host in hosts {
                net = net.srv("_sip._udp.example.com", 0, 10, 5060, host);
            }
            net.find("sip:example.com;transport=udp").0[1].clone()
        })
        .collect();
    assert!(hosts.iter().all(|host| firsts.iter().any(|first| first == host)), "{firsts:?}");
}

#[test]
fn a_target_that_is_the_root_says_that_there_is_no_such_service() {
    let mut net = Net::new(&[Protocol::Udp, Protocol::Tcp]).host("example.com", &["192.0.2.10"]);
    net = net.srv("_sip._udp.example.com", 0, 0, 0, ".");
    assert_eq!(net.ways("sip:example.com;transport=udp"), Vec::<String>::new());
    // TCP was not refused.
    assert_eq!(net.ways("sip:example.com"), ["TCP 192.0.2.10:5060"]);
    net = net.srv("_sip._tcp.example.com", 0, 0, 0, ".");
    assert_eq!(net.find("sip:example.com").0.last().map(String::as_str), Some("SRV _sip._tcp.example.com"));
}

#[test]
fn odd_answers_lead_nowhere() {
    let mut net = Net::new(&ALL)
        .srv("_sip._udp.example.com", 0, 0, 0, "port0.example.com")
        .srv("_sip._udp.example.com", 0, 0, 5060, "192.0.2.66")
        .srv("_sip._udp.example.com", 0, 0, 5060, "-bad-.example.com")
        .srv("_sip._udp.example.com", 0, 0, 5060, &format!("{}.example.com", "x".repeat(64)))
        .srv("_sip._udp.example.com", 0, 0, 5060, ".")
        .srv("_sip._udp.example.com", 1, 0, 5060, "A.Example.com.")
        .srv("_sip._udp.example.com", 1, 0, 5060, "a.example.com")
        .with("SRV _sip._udp.example.com", Answer::Address([192, 0, 2, 77].into()))
        .with("a.example.com", Answer::Srv { priority: 0, weight: 0, port: 1, target: "b.example.com".into() })
        .host("a.example.com", &["192.0.2.11", "192.0.2.11"]);
    let (questions, ways) = net.find("sip:example.com;transport=udp");
    assert_eq!(questions, ["SRV _sip._udp.example.com", "a.example.com"]);
    assert_eq!(ways, ["UDP 192.0.2.11:5060"]);
}

#[test]
fn addresses_that_came_along_are_not_asked_for_again() {
    let along = |name: &str| Answer::Additional { name: name.into(), address: [192, 0, 2, 11].into() };
    let mut net = Net::new(&ALL)
        .srv("_sip._udp.example.com", 0, 0, 5060, "a.example.com")
        .srv("_sip._udp.example.com", 1, 0, 5060, "b.example.com")
        .with("SRV _sip._udp.example.com", along("A.example.com."))
        .with("SRV _sip._udp.example.com", along("c.example.com"))
        .host("b.example.com", &["192.0.2.12"]);
    let (questions, ways) = net.find("sip:example.com;transport=udp");
    assert_eq!(questions, ["SRV _sip._udp.example.com", "b.example.com"]);
    assert_eq!(ways, ["UDP 192.0.2.11:5060", "UDP 192.0.2.12:5060"]);
}

#[test]
fn families_that_no_listener_has_are_passed_over() {
    let mut net = Net::new(&[]).host("example.com", &["2001:db8::10", "192.0.2.10"]);
    net.listeners.add(Listener::udp("192.0.2.1:5060".parse().unwrap()));
    assert_eq!(net.ways("sip:example.com"), ["UDP 192.0.2.10:5060"]);
}

#[test]
fn a_better_server_is_waited_for_but_not_in_need() {
    let net = example_com(&[Protocol::Tcp]);
    let hop = NextHop::of_uri(Uri::parse(b"sip:example.com;transport=tcp").unwrap()).unwrap();
    let Located::Search(mut locator) = locate(&hop, &net.listeners, &net.limits, None) else { panic!("a search") };
    let mut random = Random::new(Seed::from_u64(1), Script::default());
    let (asked, _) = locator.question().unwrap();
    locator.answer(asked, &net.records["SRV _sip._tcp.example.com"], &mut random);
    let (first, _) = locator.question().unwrap();
    let (second, _) = locator.question().unwrap();
    locator.answer(second, &[Answer::Address([192, 0, 2, 12].into())], &mut random);
    assert_eq!(locator.take(&net.listeners, true, |_| false), None);
    assert!(!locator.is_spent());
    let mut needy = locator.clone();
    assert_eq!(needy.take(&net.listeners, false, |_| false).map(shown).as_deref(), Some("TCP 192.0.2.12:5060"));
    // One that is known to have no address is not waited for.
    locator.answer(first, &[], &mut random);
    assert_eq!(locator.take(&net.listeners, true, |_| false).map(shown).as_deref(), Some("TCP 192.0.2.12:5060"));
    assert!(locator.is_spent());
}

#[test]
fn no_more_is_asked_kept_or_tried_than_the_limits() {
    let mut net = Net::new(&ALL);
    for n in 0..40 {
        net = net.srv("_sip._udp.example.com", n, 0, 5060, &format!("h{n}")).host(&format!("h{n}"), &["192.0.2.9"]);
    }
    let asked = |net: &mut Net| net.find("sip:example.com;transport=udp").0.len();
    assert_eq!(asked(&mut net), 1 + Limits::default().destinations);
    net.limits.destinations = 100;
    assert_eq!(asked(&mut net), Limits::default().questions);
    net.limits.records = 3;
    assert_eq!(asked(&mut net), 1 + 3);
    net.limits.questions = 2;
    assert_eq!(asked(&mut net), 2);
    net.limits.questions = 0;
    assert_eq!(net.ways("sip:example.com"), ["nowhere"]);

    let addresses: Vec<String> = (1..=100).map(|n| format!("192.0.2.{n}")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut net = Net::new(&ALL).host("example.com", &addresses);
    assert_eq!(net.ways("sip:example.com:5060").len(), Limits::default().destinations);
}

#[test]
fn a_name_that_dns_cannot_have_is_not_asked_for() {
    let mut net = Net::new(&ALL);
    let label = "x".repeat(63);
    let long = format!("{label}.{label}.{label}.{}", "y".repeat(61));
    assert_eq!(long.len(), 253);
    // Too long for a service, not for a host.
    assert_eq!(net.find(&format!("sip:{long}")).0.concat(), long);
    assert_eq!(net.ways(&format!("sip:{long}z")), ["nowhere"]);
    assert_eq!(net.ways(&format!("sip:{label}x.example.com")), ["nowhere"]);
}
