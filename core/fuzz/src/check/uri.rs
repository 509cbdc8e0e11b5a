//! URIs, hosts and addresses.

use super::header;
use super::message::is_plain;
use sansip::message::header::{NameAddr, NameAddrBuf};
use sansip::message::{Comment, Host, HostBuf, HostPort, HostPortBuf, Quoted, Telephone, Uri, UriBuf};

/// Text that may be two URIs, split at the first line feed.
pub(crate) fn uri(data: &[u8]) {
    let mut parts = data.splitn(2, |&octet| octet == b'\n');
    let (a, b) = (parts.next().unwrap_or_default(), parts.next());
    let first = one(a);
    if let (Some(first), Some(second)) = (first, b.and_then(one)) {
        assert_eq!(first.equivalent(second), second.equivalent(first), "{first} and {second}: depends on the order");
        if first.equivalent(second) {
            assert_eq!(first.scheme(), second.scheme());
            // Equality compares more than an address-of-record has (RFC 3261 §10.3 step 5, §19.1.4).
            assert_eq!(first.address_of_record(), second.address_of_record(), "{first} and {second}");
        }
    }
    host(a);
    address(a);
    quoted(a);
}

fn one(text: &[u8]) -> Option<Uri<'_>> {
    let uri = match Uri::parse(text) {
        Ok(uri) => uri,
        Err(error) => {
            is_plain(error, text);
            return None;
        }
    };
    assert_eq!(uri.as_bytes(), text);
    assert_eq!(uri.to_string().as_bytes(), text, "kept as it is");
    assert!(text.iter().all(u8::is_ascii_graphic), "nothing that ends a line or a URI");
    let owned = UriBuf::parse(text).expect("what can be borrowed can be owned");
    assert_eq!(owned.as_uri().as_bytes(), text);
    assert!(uri.equivalent(uri) && uri.equivalent(owned.as_uri()), "{uri} is not itself");
    assert_eq!(uri.is_sip(), uri.host().is_some());
    assert_eq!(uri.is_loose_router(), uri.parameters().has("lr"));
    let key = uri.address_of_record();
    assert_eq!(key.is_some(), uri.is_sip());
    if let Some(key) = key {
        let again = Uri::parse(key.as_str().as_bytes()).unwrap_or_else(|error| panic!("{uri} became {key}: {error}"));
        assert_eq!(again.address_of_record().as_ref(), Some(&key), "of {uri}");
        assert_eq!(again.user().is_some(), uri.user().is_some());
        assert_eq!(again.host_port(), uri.host_port());
    }
    header::parameters(uri.parameters());
    if let Some(number) = Telephone::of(uri) {
        assert!(number.equivalent(number), "{uri} is not itself");
        assert_eq!(number.is_global(), number.number.starts_with('+'));
        assert!(number.digits().count() > 0);
        header::parameters(number.parameters);
    }
    Some(uri)
}

fn host(text: &[u8]) {
    if let Some(host) = Host::parse(text) {
        let written = host.to_string();
        assert_eq!(Host::parse(written.as_bytes()), Some(host));
        assert_eq!(host.to_buf().as_host(), host);
        assert_eq!(written.parse::<HostBuf>(), Ok(host.to_buf()));
    }
    if let Ok(host_port) = HostPort::parse(text) {
        let written = host_port.to_string();
        assert_eq!(HostPort::parse(written.as_bytes()), Ok(host_port));
        assert_eq!(written.parse::<HostPortBuf>(), Ok(host_port.to_buf()));
        assert_eq!(host_port.to_buf().as_host_port(), host_port);
    }
}

fn quoted(text: &[u8]) {
    if let Some(quoted) = Quoted::parse(text) {
        let mut out = Vec::new();
        quoted.write(&mut out);
        let again =
            Quoted::parse(&out).unwrap_or_else(|| panic!("{} became {}", text.escape_ascii(), out.escape_ascii()));
        assert_eq!(again.to_text(), quoted.to_text());
        assert_eq!(again, quoted);
    }
    if let Ok(comment) = Comment::parse(text) {
        assert_eq!([b"(", comment.as_bytes(), b")"].concat(), text);
    }
}

fn address(text: &[u8]) {
    let Ok(address) = NameAddr::parse(text) else { return };
    let owned = NameAddrBuf::parse(text).expect("what can be borrowed can be owned");
    assert_eq!(owned.uri().as_bytes(), address.uri.as_bytes());
    assert_eq!(owned.tag(), address.tag());
    assert!(!owned.as_bytes().contains(&b'\n') || text.contains(&b'\n'));
    let plain = owned.without_parameters();
    assert!(plain.as_name_addr().parameters.is_empty());
    assert_eq!(plain.uri().as_bytes(), address.uri.as_bytes());
    let tagged = owned.with_tag("a1");
    assert_eq!(tagged.tag(), Some("a1"), "{tagged}");
    let names = |address: &NameAddr<'_>| {
        let others = address.parameters.iter().filter(|parameter| !parameter.name.eq_ignore_ascii_case("tag"));
        others.map(|parameter| parameter.name.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&tagged.as_name_addr()), names(&address));
}
