//! One TCP connection, with TLS where the target wants it.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::TlsConnector;

use super::{Detail, Failure, Protocol, Refusal, Target};

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection, encrypted or not.
pub type BoxedStream = Box<dyn Stream>;

/// Connects to the target.
///
/// # Errors
/// When there is no connection, or no TLS on it.
pub async fn connect(target: &Target) -> Result<BoxedStream, Failure> {
    let addresses = lookup_host((target.host.as_str(), target.port)).await;
    let addresses: Vec<_> = addresses.map_err(|error| Failure::resolve(&error))?.collect();
    let stream = TcpStream::connect(&addresses[..])
        .await
        .map_err(|error| Failure::connect(&error))?;
    stream
        .set_nodelay(true)
        .map_err(|error| Failure::connect(&error))?;
    let Some((config, name)) = &target.tls else {
        return Ok(Box::new(stream));
    };
    let stream = TlsConnector::from(config.clone())
        .connect(name.clone(), stream)
        .await
        .map_err(|error| Failure::tls(&error))?;
    if target.protocol == Protocol::Http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(Failure::Tls(Refusal::NoHttp2, Detail::NONE));
    }
    Ok(Box::new(stream))
}
