//! Connections that a pod beside vas makes. It needs no rights for that.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::Outcomes;

/// Number of connections of each kind to a plain port.
const PLAIN: usize = 192;
/// Number of connections of each kind to the secure port.
const SECURE: usize = 700;
/// How long a connection is held before it is replaced by a new one.
const HELD: Duration = Duration::from_secs(20);
/// Time between two connections of one kind, so that they do not all come at once.
const APART: Duration = Duration::from_millis(20);

/// Holds four kinds of connections: kept alive after an answer, with a request head that never ends, silent,
/// and with answers that are never read.
pub(super) fn hold_plain(tasks: &mut JoinSet<()>, port: u16, outcomes: &Outcomes) {
    for (kind, first) in [
        (
            "plain port: kept alive",
            "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
        (
            "plain port: a head that never ends",
            "GET /healthz HTTP/1.1\r\nX-Slow: ",
        ),
        ("plain port: silence", ""),
        (
            "plain port: scrapes that nobody reads",
            "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
    ] {
        hold(tasks, kind, port, first.as_bytes(), PLAIN, outcomes);
    }
}

/// Holds connections that are silent before TLS, and connections that do not speak TLS.
pub(super) fn hold_secure(tasks: &mut JoinSet<()>, port: u16, outcomes: &Outcomes) {
    hold(tasks, "secure port: silence", port, b"", SECURE, outcomes);
    // The header of a TLS record of 16 KiB. The record itself never comes.
    hold(
        tasks,
        "secure port: half a handshake",
        port,
        b"\x16\x03\x01\x40\x00",
        SECURE,
        outcomes,
    );
}

fn hold(
    tasks: &mut JoinSet<()>,
    kind: &'static str,
    port: u16,
    first: &'static [u8],
    count: usize,
    outcomes: &Outcomes,
) {
    let outcomes = outcomes.clone();
    tasks.spawn(async move {
        let mut held = JoinSet::new();
        loop {
            if held.len() >= count {
                held.join_next().await;
            }
            let outcomes = outcomes.clone();
            held.spawn(async move {
                let outcome = tokio::time::timeout(HELD, one(port, first)).await;
                // A connection that is still open at the end of its time was not refused.
                let outcome = outcome.map_or(Ok(()), |ended| ended.and(Err("closed".to_owned())));
                outcomes.tried(kind, outcome);
            });
            tokio::time::sleep(APART).await;
        }
    });
}

/// Makes one connection and waits until the server ends it.
async fn one(port: u16, first: &[u8]) -> Result<(), String> {
    let words = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(words)?;
    stream.write_all(first).await.map_err(words)?;
    let mut answer = [0; 256];
    while stream.read(&mut answer).await.map_err(words)? > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
