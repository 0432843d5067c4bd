//! Opens the ports of servers, and bounds how many connections a port holds.
//!
//! Owns the address families, the accept loop and the connection slots ([`slots`]). The protocol on a
//! connection belongs to its server.

pub mod slots;

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::slots::{ConnectionSlots, Slot};

/// Connections that the kernel queues until they are accepted.
const BACKLOG: u32 = 1024;
/// Wait after an accept that failed.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Opens a port. The address `[::]` accepts IPv4 as well as IPv6 clients, whatever the system's default is.
/// On a machine without IPv6 it becomes `0.0.0.0`.
///
/// # Errors
/// When the port is taken, or the address does not belong to this machine.
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

/// Whether an error of opening an IPv6 port may mean that the machine has no IPv6. A taken port or a missing
/// permission would fail on IPv4 as well.
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
    // SO_REUSEADDR: a restarted process can bind the port while old connections are still in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts connections until `stop` is cancelled. Each connection gets a slot; `connection` serves it to its
/// end, and ends early when the slot is evicted. Returns the connections that are still open.
pub async fn accept<C>(
    listener: TcpListener,
    slots: Arc<ConnectionSlots>,
    stop: &CancellationToken,
    connection: impl Fn(TcpStream, Arc<Slot>) -> C,
) -> TaskTracker
where
    C: Future<Output = ()> + Send + 'static,
{
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // For example too many open files: no connection can be accepted until another one closes.
                tracing::warn!(%error, "accepting a connection failed");
                slots.evict_idle();
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // `acquire` returns None only if the semaphore is closed, and nobody closes it.
        let Some(Some(held)) = stop.run_until_cancelled(slots.acquire(from.ip())).await else {
            break;
        };
        let connection = connection(stream, held.slot());
        connections.spawn(async move {
            connection.await;
            drop(held);
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
