//! Reads the captures of examples by Wireshark.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

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

    /// Asserts that tshark reads each packet as SIP, and finds none malformed or worth a warning. What has `ports` is SIP.
    pub(crate) fn is_read_by_wireshark(&self, ports: &[u16]) {
        if !is_here("tshark", "tshark") {
            return;
        }
        let read = |filter: &str| {
            let mut tshark = Command::new("tshark");
            // The names of the hosts are of no interest, and would be asked for.
            tshark.arg("-n").arg("-r").arg(&self.0).args(["-Y", filter]);
            for port in ports {
                tshark.args(["-d", &format!("udp.port=={port},sip"), "-d", &format!("tcp.port=={port},sip")]);
            }
            let read = tshark.output().expect("it runs");
            let said = String::from_utf8_lossy(&read.stderr);
            assert!(read.status.success(), "tshark {}: {said}", self.0.display());
            String::from_utf8_lossy(&read.stdout).into_owned()
        };
        let wrong = read(
            "_ws.malformed or _ws.expert.severity >= \"Warning\" or not (sip or stun or tcp.segment_data or tcp.segments)",
        );
        assert!(wrong.is_empty(), "tshark finds fault with {}:\n{wrong}", self.0.display());
        assert!(!read("sip").is_empty(), "no SIP in {}", self.0.display());
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
