//! Reads the captures of examples by Wireshark.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use sansip_sim::capture::{Limits, Message, Reader};

use crate::processes::{is_here, scratch};

/// A capture. One of a test that fails is kept.
pub(crate) struct Capture(PathBuf);

impl Capture {
    /// A file that an example is to write.
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self(scratch(&format!("{name}_{}.pcapng", COUNT.fetch_add(1, Ordering::Relaxed))))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Asserts that tshark reads each packet as SIP, and finds none malformed or worth a warning, and that it finds as many messages as the
    /// reader of `sansip-sim show`. What has `ports` is SIP.
    pub(crate) fn is_read_by_wireshark(&self, ports: &[u16]) {
        if !is_here("tshark", "tshark") {
            return;
        }
        let read = |filter: &str, fields: &[&str]| {
            let mut tshark = Command::new("tshark");
            // The names of the hosts are of no interest, and would be asked for.
            tshark.arg("-n").arg("-r").arg(&self.0).args(["-Y", filter]).args(fields);
            for port in ports {
                tshark.args(["-d", &format!("udp.port=={port},sip"), "-d", &format!("tcp.port=={port},sip")]);
            }
            let read = tshark.output().expect("it runs");
            let said = String::from_utf8_lossy(&read.stderr);
            assert!(read.status.success(), "tshark {}: {said}", self.0.display());
            String::from_utf8_lossy(&read.stdout).into_owned()
        };
        let wrong = read(
            "_ws.malformed or _ws.expert.severity >= \"Warning\" or not (sip or stun or tcp.segment_data or tcp.segments or tcp.len == 0)",
            &[],
        );
        assert!(wrong.is_empty(), "tshark finds fault with {}:\n{wrong}", self.0.display());
        // A segment may have several messages.
        let methods = read("sip", &["-T", "fields", "-e", "sip.CSeq.method"]);
        let found = methods.split(['\n', ',']).filter(|method| !method.is_empty()).count();
        let messages = self.messages().len();
        assert!(messages > 0, "no SIP in {}", self.0.display());
        assert_eq!(found, messages, "messages in {}", self.0.display());
    }

    /// The messages, as `sansip-sim show` reads them.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut file = std::fs::File::open(&self.0).expect("a capture");
        let (mut reader, mut messages) = (Reader::new(Limits::default()), Vec::new());
        reader.read(&mut file, &mut |message| messages.push(message)).expect("a capture that can be read");
        reader.finish(&mut |message| messages.push(message));
        messages
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("== captured in {}", self.0.display());
        } else {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}
