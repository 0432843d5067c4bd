//! One connection over TCP, a Unix socket or a proxy, with TLS if the target wants it.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{Detail, Failure, Protocol, Refusal, Target, address::Addresses, tunnel};

/// A connection, with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection, with or without TLS.
pub type BoxedStream = Box<dyn Stream>;

/// Connects to one of the target's addresses, or to one of its proxy's and through that.
///
/// # Errors
/// When there is no connection, or no TLS on it.
pub(super) async fn connect(target: &Target, addresses: &Addresses) -> Result<BoxedStream, Failure> {
    #[cfg(unix)]
    if let Some(socket) = &target.unix_socket {
        let stream = tokio::net::UnixStream::connect(socket).await;
        let stream = stream.map_err(|error| Failure::connect(&error))?;
        return secured(target, stream).await;
    }
    let Some(proxy) = &target.proxy else {
        let stream = reached(target, addresses).await?;
        return secured(target, stream).await;
    };
    let stream = async { secured(proxy, reached(proxy, addresses).await?).await };
    let stream = stream.await.map_err(|failure| tunnel::failed(&failure))?;
    secured(target, tunnel::open(stream, proxy, target).await?).await
}

/// A TCP connection to one of the addresses.
async fn reached(target: &Target, addresses: &Addresses) -> Result<TcpStream, Failure> {
    let stream = addresses.connect(target).await?;
    stream
        .set_nodelay(true)
        .map_err(|error| Failure::connect(&error))?;
    Ok(stream)
}

/// The connection itself or, where the target wants it, TLS on it.
async fn secured(target: &Target, stream: impl Stream + 'static) -> Result<BoxedStream, Failure> {
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
