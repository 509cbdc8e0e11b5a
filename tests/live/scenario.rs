//! Scenarios of sipp, written step by step. sipp acts on them; nothing of sansip takes part in what they say.

use std::fmt::Write;

/// A session description of a peer's own.
pub(crate) const SDP: &str = "v=0\r\no=- 2890844526 2890844526 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
     m=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// No body.
pub(crate) const NONE: &str = "";

/// The steps of one sipp. A caller is Alice, a callee is Bob; the caller's first request goes to sip:bob@biloxi.com.
#[derive(Clone)]
pub(crate) struct Scenario {
    steps: String,
    /// How many steps there are: `[branch-N]` counts in them.
    count: usize,
    is_caller: bool,
    /// Where requests go that are in no dialog: who calls, or is called.
    uri: &'static str,
    /// The transport in Via, and where this one is reached, in sipp's words.
    transport: &'static str,
    reached: String,
    /// The peer's Contact and the route are known.
    has_dialog: bool,
    /// The request that came last has no tag of ours.
    wants_tag: bool,
    cseq: u32,
    /// The step and the CSeq of the last INVITE of its own.
    invite: Option<(usize, u32)>,
    /// How many Vias of an INVITE are kept, for an answer to it when other requests have come since.
    kept_vias: usize,
}

impl Scenario {
    pub(crate) fn caller() -> Self {
        Self {
            steps: String::new(),
            count: 0,
            is_caller: true,
            uri: "sip:bob@biloxi.com",
            transport: "[transport]",
            reached: "[local_ip]:[local_port];transport=[transport]".to_owned(),
            has_dialog: false,
            wants_tag: true,
            cseq: 0,
            invite: None,
            kept_vias: 0,
        }
    }

    pub(crate) fn callee() -> Self {
        Self { is_caller: false, ..Self::caller() }
    }

    /// The whole scenario, as sipp reads it.
    pub(crate) fn xml(&self) -> String {
        let kept: String = self.kept().iter().map(|(_, _, name)| format!(",{name}")).collect();
        let kept = match self.steps.contains("assign_to") {
            true => format!("<Reference variables=\"from{kept}\"/>\n"),
            false => String::new(),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<scenario name=\"live\">\n{}{kept}</scenario>\n",
            self.steps
        )
    }

    /// The URI that its credentials are for, without the scheme.
    pub(crate) fn digest_uri(&self) -> &str {
        let uri = if self.steps.contains("REGISTER sip:biloxi.com ") { "sip:biloxi.com" } else { self.uri };
        uri.trim_start_matches("sip:")
    }

    fn step(mut self, xml: &str) -> Self {
        self.count += 1;
        let _ = writeln!(self.steps, "{xml}");
        self
    }

    fn sends(self, attributes: &str, head: &str, more: &str, body: &str) -> Self {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        let text = format!("{head}{more}{kind}Content-Length: [len]\n\n{body}").replace("\r\n", "\n");
        self.step(&format!("<send {attributes}><![CDATA[\n\n{text}\n]]></send>"))
    }

    /// The lines that every request of its own has. `branch` counts steps backwards to the request whose branch it has, too.
    fn head(&self, method: &str, cseq: u32, branch: usize) -> String {
        let branch = if branch == 0 { "[branch]".to_owned() } else { format!("[branch-{branch}]") };
        let (uri, routes) = match self.has_dialog {
            true => ("[next_url]", "[routes]\n"),
            false => (self.uri, ""),
        };
        // The refusal that is acknowledged had a tag, too. Nothing else outside a dialog has it.
        let tag = if self.has_dialog || method == "ACK" { "[peer_tag_param]" } else { "" };
        let alice = "Alice <sip:alice@biloxi.com>;tag=[pid]a[call_number]";
        let (from, to) = match (self.is_caller, method) {
            (true, "REGISTER") => (alice, "<sip:alice@biloxi.com>".to_owned()),
            (true, _) => (alice, format!("<{}>{tag}", self.uri)),
            (false, _) => ("<sip:bob@biloxi.com>;tag=[pid]b[call_number]", "[$from]".to_owned()),
        };
        let uri = if method == "REGISTER" { "sip:biloxi.com" } else { uri };
        let contact = match method {
            "INVITE" | "REGISTER" | "UPDATE" => {
                let user = if self.is_caller { "alice" } else { "bob" };
                format!("Contact: <sip:{user}@{}>\n", self.reached)
            }
            _ => String::new(),
        };
        format!(
            "{method} {uri} SIP/2.0\nVia: SIP/2.0/{} [local_ip]:[local_port];branch={branch}\n{routes}Max-Forwards: 70\n\
             From: {from}\nTo: {to}\nCall-ID: [call_id]\nCSeq: {cseq} {method}\n{contact}",
            self.transport
        )
    }

    /// From here on requests that are in no dialog go there.
    pub(crate) fn towards(mut self, uri: &'static str) -> Self {
        self.uri = uri;
        self
    }

    /// Something else does TLS, and is reached at that port.
    pub(crate) fn behind_tls(mut self, port: u16) -> Self {
        self.transport = "TLS";
        self.reached = format!("127.0.0.1:{port};transport=tls");
        self
    }

    /// Sends a request with a CSeq of its own. `more` are further lines.
    pub(crate) fn asks(mut self, method: &str, more: &str, body: &str) -> Self {
        self.cseq += 1;
        if method == "INVITE" {
            self.invite = Some((self.count, self.cseq));
        }
        let head = self.head(method, self.cseq, 0);
        let name = format!("{}{}", method.to_lowercase(), self.cseq);
        self.sends(&format!("retrans=\"500\" start_txn=\"{name}\""), &head, more, body)
    }

    /// A response to the last request of its own has to come.
    pub(crate) fn hears(self, status: u16) -> Self {
        let name = self.last_request();
        self.hears_of(&name, status, "")
    }

    /// A challenge to the last request of its own has to come. The next one answers it with [`CREDENTIALS`].
    pub(crate) fn hears_challenge(self, status: u16) -> Self {
        let name = self.last_request();
        self.hears_of(&name, status, " auth=\"true\"")
    }

    /// A response to the INVITE has to come, after another request.
    pub(crate) fn hears_of_invite(self, status: u16) -> Self {
        let cseq = self.invite.expect("an INVITE").1;
        self.hears_of(&format!("invite{cseq}"), status, "")
    }

    /// A response to the last request of its own may come.
    pub(crate) fn may_hear(self, status: u16) -> Self {
        let name = self.last_request();
        self.step(&format!("<recv response=\"{status}\" optional=\"true\" response_txn=\"{name}\"></recv>"))
    }

    fn hears_of(mut self, name: &str, status: u16, more: &str) -> Self {
        let makes_dialog = name.starts_with("invite") && !self.has_dialog && (101..300).contains(&status);
        let routes = if makes_dialog { " rrs=\"true\"" } else { "" };
        self.has_dialog |= makes_dialog;
        self.step(&format!("<recv response=\"{status}\" response_txn=\"{name}\"{routes}{more}></recv>"))
    }

    /// The transaction of the last request of its own, as the steps name it.
    fn last_request(&self) -> String {
        let at = self.steps.rfind("start_txn=\"").expect("a request") + "start_txn=\"".len();
        let rest = &self.steps[at..];
        rest[..rest.find('"').expect("its end")].to_owned()
    }

    /// Acknowledges the 2xx to its last INVITE.
    pub(crate) fn acknowledges(self, body: &str) -> Self {
        let cseq = self.invite.expect("an INVITE").1;
        let head = self.head("ACK", cseq, 0);
        self.sends(&format!("ack_txn=\"invite{cseq}\""), &head, "", body)
    }

    /// Acknowledges what refused its last INVITE: hop by hop, with the branch of the INVITE.
    pub(crate) fn acknowledges_refusal(self, more: &str) -> Self {
        let (step, cseq) = self.invite.expect("an INVITE");
        let head = self.head("ACK", cseq, self.count - step);
        self.sends(&format!("ack_txn=\"invite{cseq}\""), &head, more, NONE)
    }

    /// Cancels its INVITE, which has no final response yet.
    pub(crate) fn cancels(mut self) -> Self {
        let (step, cseq) = self.invite.expect("an INVITE");
        // Not along the dialog that a provisional response has made.
        self.has_dialog = false;
        let head = self.head("CANCEL", cseq, self.count - step);
        self.sends(&format!("retrans=\"500\" start_txn=\"cancel{cseq}\""), &head, "", NONE)
    }

    /// A request has to come.
    pub(crate) fn takes(mut self, method: &str) -> Self {
        // A dialog of ours began with the first INVITE or with none.
        // A CANCEL is like its INVITE, which had none.
        self.wants_tag = !self.has_dialog || method == "CANCEL";
        if method != "INVITE" {
            return self.step(&format!("<recv request=\"{method}\"></recv>"));
        }
        let (routes, mut kept) =
            if self.has_dialog { ("", String::new()) } else { (" rrs=\"true\"", keep("From", 1, "from")) };
        for (header, occurrence, name) in self.kept() {
            kept += &keep(header, occurrence, &name);
        }
        let action = if kept.is_empty() { kept } else { format!("<action>{kept}</action>") };
        self.step(&format!("<recv request=\"INVITE\"{routes}>{action}</recv>"))
    }

    /// The INVITE is answered after other requests have come: its Vias, one more than there are proxies, are kept for that.
    pub(crate) fn keeping_its_invite(mut self, vias: usize) -> Self {
        self.kept_vias = vias;
        self
    }

    /// The lines of an INVITE that are kept: header, which one of them, the name of its variable.
    fn kept(&self) -> Vec<(&'static str, usize, String)> {
        let vias = (1..=self.kept_vias).map(|number| ("Via", number, format!("via{number}")));
        let routes = (1..self.kept_vias).map(|number| ("Record-Route", number, format!("recorded{number}")));
        let cseq = (self.kept_vias > 0).then(|| ("CSeq", 1, "cseq".to_owned()));
        vias.chain(routes).chain(cseq).collect()
    }

    /// Answers the last request.
    pub(crate) fn says(self, status: u16, more: &str, body: &str) -> Self {
        let tag = if self.wants_tag { TAG } else { "" };
        let head = format!(
            "SIP/2.0 {status} Said\n[last_Via:]\n[last_Record-Route:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n\
             [last_CSeq:]\n"
        );
        let last = self.steps.rfind("<recv request=\"").expect("a request");
        let is_to_invite = self.steps[last..].starts_with("<recv request=\"INVITE");
        self.responds((status, is_to_invite), head, more, body)
    }

    /// Answers the INVITE, whatever has come since.
    pub(crate) fn says_to_invite(self, status: u16, more: &str, body: &str) -> Self {
        let lines = self.kept().into_iter().map(|(header, _, name)| format!("{header}:[${name}]\n"));
        let head = format!(
            "SIP/2.0 {status} Said\n{}From:[$from]\nTo: <{}>{TAG}\nCall-ID: [call_id]\n",
            lines.collect::<String>(),
            self.uri
        );
        self.responds((status, true), head, more, body)
    }

    fn responds(mut self, (status, is_to_invite): (u16, bool), mut head: String, more: &str, body: &str) -> Self {
        self.has_dialog |= is_to_invite && (101..300).contains(&status);
        if !more.contains("Contact:") {
            let _ = writeln!(head, "Contact: <sip:bob@{}>", self.reached);
        }
        self.sends(if is_to_invite && status >= 200 { "retrans=\"500\"" } else { "" }, &head, more, body)
    }

    /// Waits for as long as `Call::talk` says.
    pub(crate) fn talks(self) -> Self {
        self.step("<pause/>")
    }

    pub(crate) fn waits(self, milliseconds: u32) -> Self {
        self.step(&format!("<pause milliseconds=\"{milliseconds}\"/>"))
    }

    /// Stays for the 32 s in which late retransmissions may come.
    pub(crate) fn lingers(mut self) -> Self {
        self.steps += "<timewait milliseconds=\"32000\"/>\n";
        self
    }
}

/// The tag of a callee.
const TAG: &str = ";tag=[pid]b[call_number]";

/// The line that answers a challenge.
pub(crate) const CREDENTIALS: &str = "[authentication username=alice password=a]\n";

fn keep(header: &str, occurrence: usize, name: &str) -> String {
    format!(
        "<ereg regexp=\".*\" search_in=\"hdr\" header=\"{header}:\" occurrence=\"{occurrence}\" assign_to=\"{name}\"/>"
    )
}
