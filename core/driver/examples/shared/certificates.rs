//! The files for TLS.

use std::io;
use std::path::PathBuf;

use clap::Args;
use sansip_driver::Tls;

use super::named;

/// The files for TLS.
#[derive(Args)]
pub(crate) struct Certificates {
    /// Our certificate in PEM, with those that lead to its root. SIGHUP reads the files anew
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// The roots that are trusted, in PEM
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
}

impl Certificates {
    /// Whether others can connect to us over TLS.
    pub(crate) const fn has_own(&self) -> bool {
        self.certificate.is_some()
    }

    /// Reads the files.
    pub(crate) fn read(&self) -> io::Result<Tls> {
        let file = |path: &Option<PathBuf>| match path {
            Some(path) => std::fs::read(path).map_err(|error| named(path.display(), error)),
            None => Ok(Vec::new()),
        };
        let roots = file(&self.roots)?;
        match &self.certificate {
            Some(path) => Tls::new(&file(&self.certificate)?, &file(&self.key)?, &roots)
                .map_err(|error| named(path.display(), error)),
            None => Tls::trusting(&roots),
        }
    }
}
