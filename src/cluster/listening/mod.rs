//! Ports of servers: how one is opened, and how many connections it holds.
//!
//! Owns the address families, the accept loop and the [`places`] for connections. What is spoken on a connection is
//! its server's business.

pub mod places;

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::places::{Places, Seat};

/// Connections that the system holds until they are accepted.
const BACKLOG: u32 = 1024;
/// Wait after a connection could not be accepted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Opens a port. The address `[::]` takes IPv4 as well as IPv6 clients, whatever the system's default is; on a machine
/// without IPv6 it becomes `0.0.0.0`.
///
/// # Errors
/// When the port is taken, or the address is not of this machine.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    bind_with(address, open)
}

fn bind_with<T>(address: SocketAddr, open: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    match open(address) {
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() && is_without_ipv6(&error) => {
            tracing::info!(%error, port = address.port(), "no IPv6 on this machine; listening on 0.0.0.0");
            open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port())))
        }
        opened => opened,
    }
}

/// The port itself is what these two are about, so that IPv4 would fail as well.
fn is_without_ipv6(error: &io::Error) -> bool {
    !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied)
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        let socket = TcpSocket::new_v6()?;
        SockRef::from(&socket).set_only_v6(false)?;
        socket
    } else {
        TcpSocket::new_v4()?
    };
    // A restart does not wait for the connections of the process before it to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts connections until `stop` and gives each a place; `connection` serves one to its end, and ends early when
/// its seat must leave. Returns the connections that are left.
pub async fn accept<C>(
    listener: TcpListener,
    places: Arc<Places>,
    stop: &CancellationToken,
    connection: impl Fn(TcpStream, Arc<Seat>) -> C,
) -> TaskTracker
where
    C: Future<Output = ()> + Send + 'static,
{
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Such as too many open files: others must close first.
                tracing::warn!(%error, "accepting a connection failed");
                places.spare();
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // There are places for as long as this runs.
        let Some(Some(place)) = stop.run_until_cancelled(places.take(from.ip())).await else {
            break;
        };
        let connection = connection(stream, place.seat());
        connections.spawn(async move {
            connection.await;
            drop(place);
        });
    }
    connections.close();
    connections
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(port: u16) -> SocketAddr {
        SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, port))
    }

    #[tokio::test]
    async fn one_port_serves_both_families_where_there_are_both() {
        let listener = bind(any(0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let has_ipv6 = bind(SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0))).is_ok();
        assert_eq!(TcpStream::connect(("::1", port)).await.is_ok(), has_ipv6);
    }

    #[test]
    fn a_machine_without_ipv6_is_served_on_ipv4() {
        let without_ipv6 = |address: SocketAddr| match address {
            SocketAddr::V4(_) => Ok(address.to_string()),
            // EAFNOSUPPORT
            SocketAddr::V6(_) => Err(io::Error::from_raw_os_error(97)),
        };
        assert_eq!(bind_with(any(8080), without_ipv6).unwrap(), "0.0.0.0:8080");
        let asked_for = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 8080));
        assert!(
            bind_with(asked_for, without_ipv6).is_err(),
            "only the default falls back"
        );
    }

    #[test]
    fn a_taken_port_is_not_tried_again_on_ipv4() {
        let taken = |address: SocketAddr| match address {
            SocketAddr::V4(_) => Ok(()),
            SocketAddr::V6(_) => Err(io::Error::from(ErrorKind::AddrInUse)),
        };
        assert!(bind_with(any(8080), taken).is_err());
    }
}
