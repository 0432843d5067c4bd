//! Why a request was not answered as it should be, in words that count together.

use std::{io, time::Duration};

use crate::core::loadtest::{measured::Fault, scenario::template::Unset};

/// Why a request failed. Equal ones are counted together, so there are no addresses or times in them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Failure {
    /// An answer with a status that does not count as one.
    #[error("status {0}")]
    Status(u16),
    /// The load generator could not open a connection: the service has no part in it.
    #[error("load generator: {0}")]
    Generator(Fault),
    /// The connection could not be made.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// TLS could not be agreed on.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection was lost, or the answer is not HTTP.
    #[error("connection: {0}")]
    Connection(String),
    /// No whole answer in time.
    #[error("no answer within {}", in_words(*.0))]
    Timeout(Duration),
    /// The body is not as the scenario wants it.
    #[error("check: {0}")]
    Check(String),
    /// The request needs what no answer gave.
    #[error(transparent)]
    Unset(#[from] Unset),
    /// What was rendered is not a request.
    #[error("not a request: {0}")]
    Request(String),
    /// A WebSocket ended before its time, or the server did not do its part on it.
    #[error("WebSocket: {0}")]
    WebSocket(String),
    /// A redirect could not be followed.
    #[error("redirect: {0}")]
    Redirect(&'static str),
    /// The body is larger than what checks and extractions may look at.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

impl Failure {
    /// A connection that could not be made.
    pub fn connect(error: &io::Error) -> Self {
        fault(error).map_or_else(|| Self::Connect(kind(error)), Self::Generator)
    }

    /// A connection that was lost.
    pub fn connection(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut source = Some(error);
        while let Some(error) = source {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return fault(io).map_or_else(|| Self::Connection(kind(io)), Self::Generator);
            }
            source = error.source();
        }
        Self::Connection(error.to_string())
    }
}

/// What this process or its machine lacks, where that is why there is no connection.
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

/// Words for an I/O error without its address and number.
fn kind(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(_) => error.kind().to_string(),
        None => error.to_string(),
    }
}

/// A duration as failures tell it.
pub fn in_words(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{} ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_failures_have_equal_words() {
        let refused = io::Error::from_raw_os_error(111);
        assert_eq!(
            Failure::connect(&refused).to_string(),
            "cannot connect: connection refused"
        );
        // EADDRNOTAVAIL, EMFILE, ENFILE.
        let own = [99, 24, 23].map(|number| Failure::connect(&io::Error::from_raw_os_error(number)));
        assert_eq!(
            own,
            [Fault::NoLocalPort, Fault::TooManyFiles, Fault::TooManyFiles].map(Failure::Generator)
        );
        assert_eq!(
            Failure::Timeout(Duration::from_millis(1500)).to_string(),
            "no answer within 1500 ms"
        );
        assert_eq!(
            Failure::Timeout(Duration::from_secs(10)).to_string(),
            "no answer within 10 s"
        );
    }
}
