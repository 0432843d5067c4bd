//! Why a request failed: few causes with stable words, so that equal failures count together.
//!
//! ```text
//! detail  an example; does not distinguish failures  http2   reasons of HTTP/2
//! lost    connections, and what is no answer         tls     certificates and handshakes
//! system  errors of the operating system
//! ```

mod detail;
mod http2;
mod lost;
mod system;
mod tls;

use std::{error::Error, io, time::Duration};

pub(super) use self::http2::Ended;
pub use self::{detail::Detail, lost::Lost, system::System, tls::Refusal};
use crate::{
    model::{
        cause::{self, Cause},
        measured::Fault,
    },
    scenario::template::Unset,
};

/// Why a request failed. Equal failures count together, so their words contain no values, times, sizes or
/// paths of one request. Such details are kept beside the cause, as an example.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Failure {
    /// An answer whose status does not count as answered.
    #[error("{kind} {0}", kind = cause::STATUS)]
    Status(u16),
    /// The load generator could not open a connection. The service has no part in that.
    #[error("{kind}: {0}", kind = cause::GENERATOR)]
    Generator(Fault),
    /// The name of the target has no address.
    #[error("{kind}", kind = cause::RESOLVE)]
    Resolve(Detail),
    /// The connection could not be made.
    #[error("{kind}: {0}", kind = cause::CONNECT)]
    Connect(System, Detail),
    /// The proxy could not be reached, or refused to connect to the target.
    #[error("{kind}: {0}", kind = cause::PROXY)]
    Proxy(String, Detail),
    /// TLS could not be negotiated.
    #[error("{kind}: {0}", kind = cause::TLS)]
    Tls(Refusal, Detail),
    /// The server ended a stream or its connection with an HTTP/2 error code.
    #[error("{kind}: {0}", kind = cause::HTTP2)]
    Http2(Ended, Detail),
    /// The connection was lost, or the answer is not HTTP.
    #[error("{kind}: {0}", kind = cause::CONNECTION)]
    Connection(Lost, Detail),
    /// No complete answer came in time.
    #[error("{kind}", kind = cause::TIMEOUT)]
    Timeout(Duration),
    /// The body does not fulfil a check. The text is the scenario's; what was found belongs in the detail.
    #[error("{kind}: {0}", kind = cause::CHECK)]
    Check(String, Detail),
    /// The request needs a variable that no answer has set.
    #[error(transparent)]
    Unset(#[from] Unset),
    /// The rendered request is not valid. The text is the same for all users; what they sent belongs in the
    /// detail.
    #[error("{kind}: {0}", kind = cause::REQUEST)]
    Request(String, Detail),
    /// A WebSocket ended too early, or the server did not answer on it as it should. Sizes, times and texts
    /// of one connection belong in the detail.
    #[error("{kind}: {0}", kind = cause::WEBSOCKET)]
    WebSocket(String, Detail),
    /// A redirect could not be followed.
    #[error("{kind}: {0}", kind = cause::REDIRECT)]
    Redirect(&'static str),
    /// The body is larger than checks and extracts may look at. The value is that limit in bytes.
    #[error("the answer is larger than checks and extractions look at")]
    TooLarge(usize),
    /// Any further cause, when there are too many different ones to count each.
    #[error("{kind}", kind = cause::OTHER)]
    Other,
}

impl Cause for Failure {
    fn other() -> Self {
        Self::Other
    }

    fn is_own(&self) -> bool {
        matches!(self, Self::Generator(_))
    }
}

impl Failure {
    /// The failure of a name that could not be resolved.
    pub fn resolve(error: &io::Error) -> Self {
        fault(error).map_or_else(|| Self::Resolve(Detail::of(error)), Self::Generator)
    }

    /// The failure of a connection that could not be made.
    pub fn connect(error: &io::Error) -> Self {
        fault(error).map_or_else(|| Self::Connect(error.into(), beyond(error)), Self::Generator)
    }

    /// The failure of a TLS handshake.
    pub fn tls(error: &io::Error) -> Self {
        match inner::<rustls::Error>(error) {
            Some(refused) => Self::Tls(refused.into(), Detail::of(refused)),
            None => Self::Tls(Refusal::Closed, Detail::of(error)),
        }
    }

    /// The failure of a connection that was lost. Of the error and its sources the most exact one counts.
    pub fn connection(error: &(dyn Error + 'static)) -> Self {
        let mut lost = Lost::Other;
        let mut source = Some(error);
        while let Some(found) = source {
            if let Some(io) = found.downcast_ref::<io::Error>() {
                return Self::broken(io);
            }
            if let Some(h2) = found.downcast_ref::<h2::Error>() {
                if let Some(ended) = Ended::of(h2) {
                    return Self::Http2(ended, Detail::of(h2));
                }
                if let Some(io) = h2.get_io() {
                    return Self::broken(io);
                }
            }
            // hyper's own words are less exact than those of h2 or the socket further down: they count only
            // if nothing else follows.
            if let (Lost::Other, Some(hyper)) = (lost, found.downcast_ref::<hyper::Error>()) {
                lost = hyper.into();
            }
            source = found.source();
        }
        Self::Connection(lost, Detail::of(error))
    }

    /// An example of what was found, if there is more to say than the cause.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Resolve(detail)
            | Self::Connect(_, detail)
            | Self::Proxy(_, detail)
            | Self::Tls(_, detail)
            | Self::Http2(_, detail)
            | Self::Connection(_, detail)
            | Self::Check(_, detail)
            | Self::WebSocket(_, detail)
            | Self::Request(_, detail) => detail.text().map(str::to_owned),
            Self::Timeout(timeout) => Some(format!("none within {}", in_words(*timeout))),
            Self::TooLarge(bytes) => Some(format!("more than {bytes} bytes")),
            Self::Status(_) | Self::Generator(_) | Self::Redirect(_) | Self::Unset(_) | Self::Other => None,
        }
    }

    fn broken(error: &io::Error) -> Self {
        match inner::<rustls::Error>(error) {
            Some(refused) => Self::Tls(refused.into(), Detail::of(refused)),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Connection(Lost::Closed, Detail::of(error))
            }
            None => fault(error).map_or_else(
                || Self::Connection(Lost::System(error.into()), beyond(error)),
                Self::Generator,
            ),
        }
    }
}

/// What an I/O error says beyond its kind. An error of the operating system says nothing more than its
/// number.
fn beyond(error: &io::Error) -> Detail {
    match error.raw_os_error() {
        Some(_) => Detail::NONE,
        None => Detail::of(error),
    }
}

/// The resource that this process or machine lacks, if that is why there is no connection.
fn fault(error: &io::Error) -> Option<Fault> {
    if error.kind() == io::ErrorKind::AddrNotAvailable {
        return Some(Fault::NoLocalPort);
    }
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let files = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
        if error.raw_os_error().is_some_and(|number| files.contains(&number)) {
            return Some(Fault::TooManyFiles);
        }
    }
    None
}

/// The error of a library that an I/O error carries.
fn inner<E: Error + 'static>(error: &io::Error) -> Option<&E> {
    error.get_ref()?.downcast_ref()
}

/// A duration as failures show it: `2 s`, `1500 ms`.
pub fn in_words(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn equal_failures_have_equal_words_and_keep_an_example() {
        let refused = io::Error::from_raw_os_error(111);
        let failure = Failure::connect(&refused);
        assert_eq!(failure.to_string(), "cannot connect: connection refused");
        assert_eq!(failure.detail(), None);
        let closed = Failure::connection(&io::Error::new(io::ErrorKind::NotConnected, "after 17 bytes"));
        assert_eq!(
            (closed.to_string().as_str(), closed.detail().as_deref()),
            ("connection: not connected", Some("after 17 bytes"))
        );
        let (short, long) = (
            Failure::Timeout(Duration::from_millis(1500)),
            Failure::Timeout(Duration::from_secs(10)),
        );
        assert_eq!(short.to_string(), long.to_string());
        assert_eq!(
            (short.detail().as_deref(), long.detail().as_deref()),
            (Some("none within 1500 ms"), Some("none within 10 s"))
        );
        let check = |found: &str| Failure::Check("/status is \"ok\"".to_owned(), Detail::of(found));
        assert_eq!(check("down since 12:00:01"), check("down since 12:00:02"));
    }

    #[test]
    fn what_the_generator_lacks_is_its_own_fault_wherever_it_shows() {
        // EADDRNOTAVAIL, EMFILE, ENFILE.
        let errors = [99, 24, 23].map(io::Error::from_raw_os_error);
        let own = [Fault::NoLocalPort, Fault::TooManyFiles, Fault::TooManyFiles].map(Failure::Generator);
        assert_eq!(errors.each_ref().map(Failure::connect), own);
        assert_eq!(errors.each_ref().map(Failure::resolve), own);
        assert_eq!(errors.each_ref().map(|error| Failure::connection(error)), own);
        let mut causes = BTreeMap::new();
        for status in 400..500 {
            cause::count(&mut causes, Failure::Status(status), 1);
        }
        cause::count(&mut causes, own[0].clone(), 1);
        assert_eq!((causes[&own[0]], causes[&Failure::Other]), (1, 50));
    }

    #[test]
    fn the_most_exact_source_of_an_error_counts() {
        let refused = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
        let in_io = io::Error::new(io::ErrorKind::InvalidData, refused);
        assert_eq!(
            Failure::connection(&in_io).to_string(),
            "TLS: the server refuses the handshake"
        );
        let reset = h2::Error::from(h2::Reason::HTTP_1_1_REQUIRED);
        assert_eq!(
            Failure::connection(&reset).to_string(),
            "HTTP/2: the server broke the protocol, HTTP_1_1_REQUIRED"
        );
        let ended = io::Error::new(io::ErrorKind::UnexpectedEof, "after 17 bytes");
        assert_eq!(
            Failure::connection(&ended).to_string(),
            "connection: closed before the answer was complete"
        );
        assert_eq!(
            Failure::tls(&ended).to_string(),
            "TLS: closed during the handshake"
        );
    }
}
