//! Work grows with the input and not with its square: every check of the shapes below is run over 1, 2, 4 … times as much,
//! and the basic blocks that are executed are counted. The counts are exact and the same on every run; no clock is read.
//!
//! `RUSTFLAGS=-Cinstrument-coverage LLVM_PROFILE_FILE=/dev/null cargo run --release --features linear --bin linear`

use sansip::message::header::{Contact, Header, NameAddr, RetryAfter, Via};
use sansip::message::{Framer, HeaderId, Limits, Message, MessageView, Parameters, Request, Response, StatusCode, Uri};
use std::hint::black_box;
use std::process::ExitCode;

/// The counters of the compiler's coverage instrumentation: one 64-bit counter a region of code.
#[expect(unsafe_code, reason = "the profile runtime has no other interface")]
mod blocks {
    unsafe extern "C" {
        fn __llvm_profile_reset_counters();
        fn __llvm_profile_begin_counters() -> *const u64;
        fn __llvm_profile_end_counters() -> *const u64;
    }

    /// How many regions this executes.
    pub(super) fn executed_by(work: impl FnOnce()) -> u64 {
        // SAFETY: the runtime gives the bounds of one array of counters, aligned to eight octets, that lives as long as the
        // program; there is one thread, so nothing writes them while they are read.
        unsafe {
            __llvm_profile_reset_counters();
            work();
            let (begin, end) = (__llvm_profile_begin_counters(), __llvm_profile_end_counters());
            let count = usize::try_from(end.offset_from(begin)).unwrap_or_default();
            std::slice::from_raw_parts(begin, count).iter().fold(0, |sum, count| sum.wrapping_add(*count))
        }
    }
}

/// Bounds that nothing here meets but the width of the offsets: growth must be linear even so.
const WIDE: Limits = Limits {
    start_line: usize::MAX,
    header_section: usize::MAX,
    headers: usize::MAX,
    body: usize::MAX,
    via_values: usize::MAX,
    parameters: usize::MAX,
    parts: usize::MAX,
};

/// Octets of the smallest input of a shape, and how often it is doubled.
const SMALLEST: usize = 2_000;
const DOUBLINGS: u32 = 4;

/// The piece that an input is made of, over and over.
struct Shape {
    name: &'static str,
    before: &'static str,
    unit: &'static str,
    after: &'static str,
}

const fn shape(name: &'static str, before: &'static str, unit: &'static str, after: &'static str) -> Shape {
    Shape { name, before, unit, after }
}

/// Header fields; a start line goes before and the usual fields behind.
const FIELDS: [Shape; 32] = [
    shape("commas of Via", "Via: ", ",", ""),
    shape("values of Via", "Via: ", "a,", "a"),
    shape("good values of Via", "v: ", "SIP/2.0/UDP a;branch=z9hG4bKa,", "x"),
    shape("fields of Via", "", "Via: SIP/2.0/UDP a;branch=z9hG4bKa\r\n", "X: 1"),
    shape("values of Route", "Route: ", "<sip:a;lr>,", "<sip:b>"),
    shape("fields of Route", "", "Route: <sip:a;lr>\r\n", "X: 1"),
    shape("fields of Contact", "", "m: *\r\n", "X: 1"),
    shape("blank fields", "", "X:\r\n", "X: 1"),
    shape("quotes", "Contact: ", "\"", ""),
    shape("quoted strings", "Contact: ", "\"a\",", ""),
    shape("escapes", "Contact: \"", "\\\"", ""),
    shape("open brackets", "Route: ", "<", ""),
    shape("brackets", "Route: ", "<>,", ""),
    shape("folds", "Subject: ", "\r\n x", ""),
    shape("blank folds", "Subject: ", "\r\n ", ""),
    shape("folds in an address", "To: ", "a\r\n\t", "<sip:b>"),
    shape("blanks", "From: ", " ", "<sip:b>"),
    shape("blanks before a colon", "From", " ", ": <sip:b>"),
    shape("words before an address", "From: ", "a ", "<sip:b>"),
    shape("words before none", "From: ", "a ", "b"),
    shape("parameters", "From: <sip:b>", ";a=b", ""),
    shape("blank parameters", "From: <sip:b>", " ; a = \"b\" ", ""),
    shape("semicolons", "From: <sip:b>", ";", ""),
    shape("tags", "From: <sip:b>", ";tag=1", ""),
    shape("URI parameters", "Contact: <sip:b", ";a", ">"),
    shape("URI headers", "Contact: <sip:b?", "a=&", "a=>"),
    shape("comments", "Retry-After: 1 ", "(", ""),
    shape("digits", "CSeq: ", "0", " BYE"),
    shape("lengths", "", "l: 0\r\n", "X: 1"),
    shape("digits of a length", "l: ", "0", ""),
    shape("lines without a colon", "", "x\r\n", "X: 1"),
    shape("carriage returns", "X: ", "\r", ""),
];

/// Values by themselves.
const VALUES: [Shape; 16] = [
    shape("user", "sip:", "a", "@b"),
    shape("escapes", "sip:", "%61", "@b"),
    shape("at signs", "sip:", "@", "b"),
    shape("colons", "sip:", ":", "b"),
    shape("labels", "sip:a@", "a.", "b"),
    shape("a label", "sip:", "a-", "b"),
    shape("colons of an address", "sip:[", ":", "]"),
    shape("zeros of an address", "sip:[::", "0", "]"),
    shape("URI parameters", "sip:b", ";a=1", ""),
    shape("URI headers", "sip:b?", "a=b&", "a=b"),
    shape("display name", "", "a ", "<sip:b>"),
    shape("quoted display name", "\"", "\\a", "\" <sip:b>"),
    shape("parameters", "<sip:b>", ";a=\"b\"", ""),
    shape("sent-by", "SIP/2.0/UDP ", "a.", "b"),
    shape("folds", "SIP/2.0/UDP a", ";\r\n a\r\n =\r\n b", ""),
    shape("comments", "1 ", "()", ""),
];

impl Shape {
    fn text(&self, octets: usize) -> String {
        format!("{}{}{}", self.before, self.unit.repeat(octets / self.unit.len()), self.after)
    }

    fn message(&self, octets: usize) -> Vec<u8> {
        let usual = "Route: <sip:p;lr>\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\nTo: <sip:b>\r\nFrom: <sip:a>;tag=1\r\n\
            Call-ID: 1\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n";
        format!("BYE sip:b.example SIP/2.0\r\n{}\r\n{usual}", self.text(octets)).into_bytes()
    }
}

/// All that is done with a message on its way through an element.
fn through(message: &[u8]) {
    black_box(Request::salvage(message, &WIDE));
    let Ok(view) = MessageView::parse(message, &WIDE) else { return };
    let headers = view.headers();
    black_box(headers.iter().map(|field| field.value.len() + field.line.len()).sum::<usize>());
    black_box((headers.top_via(), headers.from(), headers.to(), headers.cseq(), headers.contact()));
    black_box(
        headers.all::<Via<'_>>().count() + headers.all::<Contact<'_>>().count() + headers.all::<RetryAfter>().count(),
    );
    black_box(headers.contains("X-None"));
    let Message::Request(request) = view.to_message() else { return };
    let _ = black_box(request.validate());
    black_box(
        Response::to(&request, StatusCode::OK).copy(&request, HeaderId::RecordRoute).to_tag("1").finish().is_ok(),
    );
    let edit = || request.edit().push_first(HeaderId::Via, "SIP/2.0/UDP n").replace(HeaderId::MaxForwards, "9");
    black_box(edit().pop_first(HeaderId::Route).stamp_via(Some([192, 0, 2, 1].into()), Some(1)).finish().is_ok());
    black_box(edit().pop_last(HeaderId::Via).remove("Contact").remove("X").finish().is_ok());
    for id in [HeaderId::Via, HeaderId::Route, HeaderId::Contact, HeaderId::ContentLength] {
        black_box(edit().replace(id, "1").body("text/plain", b"x").finish().is_ok());
    }
    let copy = Request::builder(request.method(), Uri::parse(b"sip:b").expect("a URI")).copy(&request, HeaderId::Via);
    black_box(copy.finish().is_ok());
}

/// Each octet comes by itself.
fn slowly(stream: &[u8]) {
    let mut framer = Framer::new(WIDE);
    for octet in stream.chunks(1) {
        let mut input = octet;
        while black_box(framer.read(&mut input)).is_some() {}
    }
}

fn values(text: &[u8]) {
    if let Ok(uri) = Uri::parse(text) {
        black_box((uri.address_of_record(), uri.parameter("none"), uri.is_loose_router()));
    }
    if let Ok(address) = NameAddr::parse(text) {
        black_box(address.to_buf().with_tag("1").without_parameters());
    }
    if let Ok(via) = Via::parse(text) {
        black_box((via.branch(), via.received(), via.rport()));
    }
    black_box((RetryAfter::parse(text).is_ok(), Parameters::parse(text).is_ok()));
}

/// Comparing is every parameter with every other: the bound on their number keeps that small.
fn within_bounds(message: &[u8]) {
    let limits = Limits { header_section: 65_535, ..Limits::default() };
    let Ok(view) = MessageView::parse(message, &limits) else { return };
    if let Some(contact) = view.headers().contact() {
        black_box(contact.uri.equivalent(contact.uri));
    }
}

/// Whether each doubling of the input at most doubles the work, but for a tenth and what is done once.
fn is_linear(what: &str, shape: &Shape, input: impl Fn(usize) -> Vec<u8>, work: fn(&[u8])) -> bool {
    let counts: Vec<u64> = (0..=DOUBLINGS)
        .map(|doubling| {
            let input = input(SMALLEST << doubling);
            blocks::executed_by(|| work(&input))
        })
        .collect();
    let linear = counts.windows(2).all(|pair| pair[1] <= pair[0] * 22 / 10 + 5_000);
    println!("{} {what}: {}: {counts:?}", if linear { "ok  " } else { "FAIL" }, shape.name);
    linear
}

fn main() -> ExitCode {
    let mut linear = blocks::executed_by(|| through(&FIELDS[0].message(SMALLEST))) > SMALLEST as u64;
    for shape in &FIELDS {
        linear &= is_linear("message", shape, |octets| shape.message(octets), through);
        linear &= is_linear("stream", shape, |octets| shape.message(octets), slowly);
        linear &= is_linear("comparison", shape, |octets| shape.message(octets), within_bounds);
    }
    for shape in &VALUES {
        linear &= is_linear("value", shape, |octets| shape.text(octets).into_bytes(), values);
    }
    let ends = shape("line ends", "", "\r\n", "");
    linear &= is_linear("stream", &ends, |octets| ends.text(octets).into_bytes(), slowly);
    linear &= is_linear("message", &ends, |octets| ends.text(octets).into_bytes(), through);
    if linear { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
