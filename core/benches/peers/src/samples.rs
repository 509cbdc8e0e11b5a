//! The five messages that everything is measured on.

use std::path::PathBuf;

/// One message.
pub struct Sample {
    /// The kind of message.
    pub name: &'static str,
    /// Its octets.
    pub bytes: Vec<u8>,
}

impl Sample {
    fn new(name: &'static str, text: &str, octets: usize) -> Self {
        assert_eq!(text.len(), octets, "{name}");
        Self { name, bytes: text.into() }
    }

    /// The header fields and the empty line behind them.
    pub fn header_block(&self) -> &[u8] {
        let start = self.bytes.iter().position(|octet| *octet == b'\n').expect("there is a first line") + 1;
        let end = self.bytes.windows(4).position(|octets| octets == b"\r\n\r\n").expect("there is an empty line") + 4;
        &self.bytes[start..end]
    }
}

/// All five, as far as they are there.
pub fn samples() -> Vec<Sample> {
    let mut all = vec![invite(), ok(), register(), long_invite()];
    all.extend(torture());
    all
}

/// F1 of RFC 3261 §24.2, with a session description of 142 octets.
pub fn invite() -> Sample {
    let text = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8\r\n\
        Max-Forwards: 70\r\n\
        To: Bob <sip:bob@biloxi.com>\r\n\
        From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710\r\n\
        CSeq: 314159 INVITE\r\n\
        Contact: <sip:alice@pc33.atlanta.com>\r\n\
        Content-Type: application/sdp\r\n\
        Content-Length: 142\r\n\
        \r\n\
        v=0\r\n\
        o=alice 53655765 235368763 IN IP4 pc33.atlanta.com\r\n\
        s=-\r\n\
        c=IN IP4 pc33.atlanta.com\r\n\
        t=0 0\r\n\
        m=audio 3456 RTP/AVP 0\r\n\
        a=rtpmap:0 PCMU/8000\r\n";
    Sample::new("INVITE, 473", text, 473)
}

/// F9 of RFC 3261 §24.2, without its folds, with a session description of 131 octets.
pub fn ok() -> Sample {
    let text = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP server10.biloxi.com;branch=z9hG4bK4b43c2ff8.1;received=192.0.2.3\r\n\
        Via: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1;received=192.0.2.2\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8;received=192.0.2.1\r\n\
        To: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\n\
        From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710\r\n\
        CSeq: 314159 INVITE\r\n\
        Contact: <sip:bob@192.0.2.4>\r\n\
        Content-Type: application/sdp\r\n\
        Content-Length: 131\r\n\
        \r\n\
        v=0\r\n\
        o=bob 2890844527 2890844527 IN IP4 192.0.2.4\r\n\
        s=--\r\n\
        c=IN IP4 192.0.2.4\r\n\
        t=0 0\r\n\
        m=audio 34566 RTP/AVP 0\r\n\
        a=rtpmap:0 PCMU/8000\r\n";
    Sample::new("200 with 3 Vias, 623", text, 623)
}

/// F1 of RFC 3261 §24.1.
pub fn register() -> Sample {
    let text = "REGISTER sip:registrar.biloxi.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bKnashds7\r\n\
        Max-Forwards: 70\r\n\
        To: Bob <sip:bob@biloxi.com>\r\n\
        From: Bob <sip:bob@biloxi.com>;tag=456248\r\n\
        Call-ID: 843817637684230@998sdasdh09\r\n\
        CSeq: 1826 REGISTER\r\n\
        Contact: <sip:bob@192.0.2.4>\r\n\
        Expires: 7200\r\n\
        Content-Length: 0\r\n\
        \r\n";
    Sample::new("REGISTER, 322", text, 322)
}

/// As the last of four proxies hands it on: 30 header fields, 5 of Via and 4 of Record-Route.
pub fn long_invite() -> Sample {
    let text = "INVITE sip:bob@192.0.2.4:5060;transport=udp SIP/2.0\r\n\
        Via: SIP/2.0/UDP ss4.biloxi.example.com:5060;branch=z9hG4bK721e418c4.1\r\n\
        Via: SIP/2.0/UDP ss3.biloxi.example.com:5060;branch=z9hG4bK2d4790.1;received=192.0.2.222\r\n\
        Via: SIP/2.0/TCP ss2.transit.example.net:5060;branch=z9hG4bK83a1f.2;received=198.51.100.7\r\n\
        Via: SIP/2.0/TLS ss1.atlanta.example.com:5061;branch=z9hG4bK-4f1b22;received=192.0.2.111\r\n\
        Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74b76;rport=5060;received=192.0.2.101\r\n\
        Record-Route: <sip:ss4.biloxi.example.com;lr>\r\n\
        Record-Route: <sip:ss3.biloxi.example.com;lr>\r\n\
        Record-Route: <sip:ss2.transit.example.net;transport=tcp;lr>\r\n\
        Record-Route: <sip:ss1.atlanta.example.com;lr>\r\n\
        Max-Forwards: 66\r\n\
        From: \"Alice Liddell\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n\
        To: \"Bob\" <sip:bob@biloxi.example.com>\r\n\
        Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\r\n\
        CSeq: 20481 INVITE\r\n\
        Contact: <sip:alice@client.atlanta.example.com:5060;transport=udp>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"\r\n\
        Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, UPDATE, PRACK, INFO, MESSAGE\r\n\
        Supported: 100rel, replaces, timer, path, outbound, gruu, norefersub\r\n\
        User-Agent: ExamplePhone/4.2.1 (build 20260114; firmware 11.3)\r\n\
        Accept: application/sdp, application/dtmf-relay, message/sipfrag\r\n\
        Accept-Language: en, de;q=0.7, fr;q=0.5\r\n\
        Session-Expires: 1800;refresher=uac\r\n\
        Min-SE: 90\r\n\
        P-Asserted-Identity: \"Alice Liddell\" <sip:alice@atlanta.example.com>\r\n\
        Privacy: none\r\n\
        Date: Sat, 13 Nov 2027 23:29:00 GMT\r\n\
        Subject: Tea at four on Saturday, in the garden if the weather holds\r\n\
        X-Charging-Vector: icid=1234bc9876e;orig-ioi=atlanta.example.com\r\n\
        Content-Type: application/sdp\r\n\
        Content-Disposition: session\r\n\
        Content-Length: 151\r\n\
        \r\n\
        v=0\r\n\
        o=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\n\
        s=-\r\n\
        c=IN IP4 192.0.2.101\r\n\
        t=0 0\r\n\
        m=audio 49172 RTP/AVP 0\r\n\
        a=rtpmap:0 PCMU/8000\r\n";
    Sample::new("INVITE of 30 headers", text, 1_900)
}

/// `wsinv` of RFC 4475 §3.1.1.1, read in place where the folder of torture messages is.
fn torture() -> Option<Sample> {
    let folder = std::env::var_os("SANSIP_TORTURE")
        .map_or_else(|| [env!("CARGO_MANIFEST_DIR"), "../../../../shared/torture"].iter().collect(), PathBuf::from);
    let file = folder.join("rfc4475/wsinv.dat");
    match std::fs::read(&file) {
        Ok(bytes) => Some(Sample { name: "wsinv of RFC 4475", bytes }),
        Err(error) => {
            println!("left out: {}: {error}", file.display());
            None
        }
    }
}
