//! One TCP connection, with TLS where the target wants it.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{Failure, Protocol, Target};

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
    let stream = TcpStream::connect((target.host.as_str(), target.port))
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
        .map_err(|error| Failure::Tls(error.to_string()))?;
    if target.protocol == Protocol::Http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
        return Err(Failure::Tls("the server does not speak HTTP/2".to_owned()));
    }
    Ok(Box::new(stream))
}
