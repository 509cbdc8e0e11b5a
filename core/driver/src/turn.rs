//! The result of a driver's turn.

use crate::Trouble;

/// Why a driver gives its thread back to the application.
///
/// A phone that rings for 3 s and answers then, unless another thread wants it to end:
///
/// ```no_run
/// use sansip::user_agent::{Body, Event, Profile, UserAgent};
/// use sansip::{Config, Duration, Listener};
/// use sansip_driver::{Turn, blocking::Driver};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut driver = Driver::new()?;
/// let mut phone = UserAgent::user_agent(Config::new(sansip_driver::seed()?), Profile::new("<sip:bob@127.0.0.1>".parse()?));
/// driver.listen(&mut phone, Listener::udp("127.0.0.1:5060".parse()?))?;
/// let waker = driver.waker();
/// std::thread::spawn(move || {
///     let _ = std::io::stdin().read_line(&mut String::new());
///     waker.wake();
/// });
/// let (mut until, mut ringing) = (None, None);
/// loop {
///     match driver.next(&mut phone, until)? {
///         Turn::Event(Event::Incoming { call, request, .. }) => {
///             phone.ring(driver.now(), call)?;
///             (until, ringing) = (Some(driver.now() + Duration::from_secs(3)), Some((call, request)));
///         }
///         Turn::Time => {
///             until = None;
///             if let Some((call, request)) = ringing.take() {
///                 phone.answer(driver.now(), call, Body::of_request(&request))?;
///             }
///         }
///         Turn::Woken => {
///             phone.shut_down(driver.now());
///             driver.stop(Duration::from_secs(2));
///         }
///         Turn::Trouble(trouble) => eprintln!("{trouble}"),
///         Turn::Stopped { .. } => return Ok(()),
///         _ => {}
///     }
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
#[must_use]
pub enum Turn<E> {
    /// The node has something to say. Commands may follow from it; then the driver goes on.
    Event(E),
    /// Another thread has called [`Waker::wake`](crate::Waker::wake).
    Woken,
    /// The time that the application has named is there.
    Time,
    /// Something failed that is not the application's doing: a line for a log.
    Trouble(Trouble),
    /// The driver was asked to stop, and there is nothing left to be done, or the time for it is over.
    Stopped {
        /// The node is idle and everything that it sent is written.
        clean: bool,
    },
}
