//! TLS 1.2 and 1.3 with certificates of SIP domains (RFC 5922).

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio_rustls::rustls;

/// The certificates of a node: its own, and those that it trusts.
///
/// Whom a peer's certificate names is looked for as RFC 5922 §7.1 says: a SIP URI without a user in subjectAltName, or, if there is none, its DNS
/// names. A name must be there in full: no wildcard counts (§7.2). The common name of the subject never does.
///
/// ```no_run
/// use sansip_driver::Tls;
/// let own = std::fs::read("biloxi.pem")?;
/// let tls = Tls::new(&own, &std::fs::read("biloxi.key")?, &std::fs::read("roots.pem")?)?;
/// # let _ = tls;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Tls {
    /// None where there is no certificate of ours: then nobody can be let in.
    pub(crate) server: Option<Arc<ServerConfig>>,
    pub(crate) client: Arc<ClientConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// From PEM files: our certificate with those that lead to its root, its key, and the roots that are trusted. Our certificate
    /// is shown to servers that ask for one, too.
    ///
    /// # Errors
    /// One of them cannot be read, there is none in it, or key and certificate do not belong together.
    pub fn new(certificates: &[u8], key: &[u8], roots: &[u8]) -> io::Result<Self> {
        let chain: Vec<CertificateDer<'static>> = read(certificates)?;
        if chain.is_empty() {
            return Err(invalid("there is no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(invalid)?;
        let (trusted, provider) = trusted(roots)?;
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(invalid)?
            .with_client_cert_verifier(of_clients(&trusted, &provider)?)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(invalid)?;
        let client = client(trusted, provider)?.with_client_auth_cert(chain, key).map_err(invalid)?;
        Ok(Self { server: Some(Arc::new(server)), client: Arc::new(client) })
    }

    /// Without a certificate of our own, as most phones are: connections can be opened to servers that lead to one of these roots,
    /// and whoever connects to us fails at the handshake.
    ///
    /// # Errors
    /// A root cannot be read.
    pub fn trusting(roots: &[u8]) -> io::Result<Self> {
        let (trusted, provider) = trusted(roots)?;
        Ok(Self { server: None, client: Arc::new(client(trusted, provider)?.with_no_client_auth()) })
    }
}

fn trusted(roots: &[u8]) -> io::Result<(Arc<RootCertStore>, Arc<CryptoProvider>)> {
    let mut trusted = RootCertStore::empty();
    for root in read(roots)? {
        trusted.add(root).map_err(invalid)?;
    }
    Ok((Arc::new(trusted), Arc::new(rustls::crypto::ring::default_provider())))
}

/// The settings of connections that we open, but for our own certificate.
fn client(
    trusted: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
) -> io::Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(invalid)?.dangerous();
    Ok(builder.with_custom_certificate_verifier(Arc::new(OfDomains { trusted, provider })))
}

/// Clients may show a certificate and need not: most phones have none (RFC 3261 §26.2.1). One that is shown has to be good.
fn of_clients(trusted: &Arc<RootCertStore>, provider: &Arc<CryptoProvider>) -> io::Result<Arc<dyn ClientCertVerifier>> {
    if trusted.is_empty() {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let builder = WebPkiClientVerifier::builder_with_provider(trusted.clone(), provider.clone());
    builder.allow_unauthenticated().build().map_err(invalid)
}

fn read(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(invalid)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// The SIP domains that a certificate names (RFC 5922 §7.1).
pub(crate) fn identities(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    let by_uri: Vec<String> = certificate.valid_uri_names().filter_map(domain).collect();
    if by_uri.is_empty() { certificate.valid_dns_names().map(str::to_ascii_lowercase).collect() } else { by_uri }
}

/// The host of a SIP URI that names a domain and no user.
fn domain(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    let host = rest.split([';', '?']).next()?;
    if !scheme.eq_ignore_ascii_case("sip") || rest.contains('@') {
        return None;
    }
    let host: sansip::message::HostPortBuf = host.parse().ok()?;
    Some(host.host.to_string().to_ascii_lowercase())
}

/// Verifies the certificates of servers: the way to a root as ever, the name as RFC 5922 says.
#[derive(Debug)]
struct OfDomains {
    trusted: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OfDomains {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = rustls::server::ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.trusted, intermediates, now, algorithms)?;
        let name = name.to_str();
        if identities(certificate).iter().any(|identity| identity.eq_ignore_ascii_case(&name)) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::NotValidForName))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::domain;

    #[test]
    fn a_sip_uri_names_a_domain_by_its_host_if_it_names_no_user() {
        assert_eq!(domain("SIP:Biloxi.com").as_deref(), Some("biloxi.com"));
        assert_eq!(domain("sip:biloxi.com:5061;transport=tls?x=y").as_deref(), Some("biloxi.com"));
        let none = [
            "sip:bob@biloxi.com",
            "sip:biloxi.com;x@other.com",
            "sips:biloxi.com",
            "https://biloxi.com",
            "biloxi.com",
            "sip:",
        ];
        assert_eq!(none.map(domain), none.map(|_| None));
    }
}
