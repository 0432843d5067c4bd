//! Connections of a neighbour pod, which needs no rights at all.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::Outcomes;

/// Connections to a plain port of each kind.
const PLAIN: usize = 192;
/// Connections to the secure port of each kind.
const SECURE: usize = 700;
/// How long a connection is held before it is made anew.
const HELD: Duration = Duration::from_secs(20);
/// Between two connections of one kind, so that they do not all come at once.
const APART: Duration = Duration::from_millis(20);

/// Kept alive after an answer, a head that never ends, silence, and answers that nobody reads.
pub fn hold_plain(tasks: &mut JoinSet<()>, port: u16, outcomes: &Outcomes) {
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

/// Silence before TLS, and what is no TLS.
pub fn hold_secure(tasks: &mut JoinSet<()>, port: u16, outcomes: &Outcomes) {
    hold(tasks, "secure port: silence", port, b"", SECURE, outcomes);
    // The head of a TLS record of 16 KiB, of which the rest never comes.
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
                // Who is still connected at the end of the time was not sent away.
                let outcome = outcome.map_or(Ok(()), |ended| ended.and(Err("closed".to_owned())));
                outcomes.tried(kind, outcome);
            });
            tokio::time::sleep(APART).await;
        }
    });
}

/// One connection until the server ends it.
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
