//! DNS by hickory-resolver, in a thread of its own: its cache keeps what is found for as long as the records' TTL allows, and
//! that there is nothing for as long as the zone's SOA does (RFC 2308).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::name_server::TokioConnectionProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::proto::xfer::Protocol;
use sansip::{Answer, Duration, Question};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::{Duty, Report};

/// How long one server has to answer, and how often all are asked: no longer than a node waits for NAPTR and SRV, 16·T1.
const TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// DNS: which servers are asked.
///
/// ```no_run
/// use sansip_driver::{Dns, Resolver, blocking::Driver};
/// let driver = Driver::with_resolver(Resolver::Dns(Dns::default()))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Dns {
    /// The servers; those of the system (`/etc/resolv.conf`) if there are none here.
    pub servers: Vec<SocketAddr>,
}

impl Dns {
    fn resolver(&self) -> io::Result<TokioResolver> {
        let mut builder = if self.servers.is_empty() {
            TokioResolver::builder_tokio().map_err(io::Error::other)?
        } else {
            let mut config = ResolverConfig::new();
            for server in &self.servers {
                config.add_name_server(NameServerConfig::new(*server, Protocol::Udp));
                config.add_name_server(NameServerConfig::new(*server, Protocol::Tcp));
            }
            TokioResolver::builder_with_config(config, TokioConnectionProvider::default())
        };
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.timeout = TIMEOUT;
        options.attempts = ATTEMPTS;
        Ok(builder.build())
    }
}

/// The thread, which ends with this.
pub(super) struct Worker {
    runtime: Handle,
    resolver: Arc<TokioResolver>,
    report: Report,
    _end: oneshot::Sender<()>,
}

/// A search, which ends with this.
pub(super) struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Worker {
    pub(super) fn new(dns: &Dns, report: Report) -> io::Result<Self> {
        let resolver = Arc::new(dns.resolver()?);
        let (end, ended) = oneshot::channel::<()>();
        let (begin, begun) = channel();
        // It owns its runtime from the beginning: where there is no thread, none has to be dropped, which tokio forbids within another runtime.
        let work = move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let _ = begin.send(Ok(runtime.handle().clone()));
                let _ = runtime.block_on(ended);
            }
            Err(error) => drop(begin.send(Err(error))),
        };
        thread::Builder::new().name("sansip-resolver".into()).spawn(work)?;
        let runtime = begun.recv().map_err(io::Error::other)??;
        Ok(Self { runtime, resolver, report, _end: end })
    }

    pub(super) fn ask(&self, question: &Arc<Question>) -> Task {
        let duty = Duty { question: question.clone(), report: self.report.clone() };
        let resolver = self.resolver.clone();
        let search = self.runtime.spawn(async move {
            let answers = look_up(&resolver, &duty.question).await;
            duty.fulfil(answers);
        });
        Task(search.abort_handle())
    }
}

async fn look_up(resolver: &TokioResolver, question: &Question) -> Vec<Answer> {
    match question {
        // A host of one label may be one of the system's own domain.
        Question::Address { name } if !name.contains('.') => addresses(resolver, name.to_string()).await,
        Question::Address { name } => addresses(resolver, format!("{name}.")).await,
        Question::Srv { name } => records(resolver, name, RecordType::SRV).await.iter().filter_map(srv).collect(),
        Question::Naptr { name } => records(resolver, name, RecordType::NAPTR).await.iter().filter_map(naptr).collect(),
        _ => Vec::new(),
    }
}

async fn addresses(resolver: &TokioResolver, name: String) -> Vec<Answer> {
    let found = resolver.lookup_ip(name).await;
    found.into_iter().flatten().map(Answer::Address).collect()
}

/// The records of a name, of which those that it is an alias by are no answer.
async fn records(resolver: &TokioResolver, name: &str, kind: RecordType) -> Vec<RData> {
    let found = resolver.lookup(format!("{name}."), kind).await;
    found.iter().flat_map(Lookup::iter).filter(|data| data.record_type() == kind).cloned().collect()
}

fn srv(data: &RData) -> Option<Answer> {
    let srv = data.as_srv()?;
    let target = srv.target().to_ascii().into();
    Some(Answer::Srv { priority: srv.priority(), weight: srv.weight(), port: srv.port(), target })
}

fn naptr(data: &RData) -> Option<Answer> {
    let naptr = data.as_naptr()?;
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into();
    // One with a regular expression is of another application.
    naptr.regexp().is_empty().then(|| Answer::Naptr {
        order: naptr.order(),
        preference: naptr.preference(),
        flags: text(naptr.flags()),
        service: text(naptr.services()),
        replacement: naptr.replacement().to_ascii().into(),
    })
}
