//! A server that sends, byte for byte, what a test wants.

use std::io;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Accepts connections until it is dropped. `each` handles a connection and gets its number.
pub(super) struct Server {
    pub(super) port: u16,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start<F>(each: impl Fn(TcpStream, u32) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                tokio::spawn(each(stream, number));
            }
        });
        Self { port, task }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends one HTTP/1.1 answer to any request, and closes the connection.
pub(super) async fn say(stream: TcpStream, said: String) -> io::Result<()> {
    answer(stream, |_| said).await
}

/// The same, with an answer that depends on how the request begins, such as `GET / HTTP/1.1`.
pub(super) async fn answer(mut stream: TcpStream, said: impl FnOnce(&str) -> String) -> io::Result<()> {
    let mut asked = [0; 16];
    stream.read_exact(&mut asked).await?;
    let said = said(&String::from_utf8_lossy(&asked));
    stream.write_all(said.as_bytes()).await?;
    stream.shutdown().await?;
    // Unread bytes of the client would reset the connection before the client has read the answer.
    tokio::io::copy(&mut stream, &mut tokio::io::sink())
        .await
        .map(drop)
}

/// Answers each request over HTTP/2 with the frame that `answer` makes for its stream.
pub(super) async fn frames(mut stream: TcpStream, answer: impl Fn(u32) -> Vec<u8>) -> io::Result<()> {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    stream.read_exact(&mut [0; 24]).await?;
    stream.write_all(&frame(SETTINGS, 0, &[])).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [high, middle, low, kind, _, id @ ..] = head;
        let length = u32::from_be_bytes([0, high, middle, low]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await?;
        if kind == HEADERS {
            stream.write_all(&answer(u32::from_be_bytes(id))).await?;
        }
    }
}

fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, 0];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

pub(super) fn reset(stream: u32, reason: u32) -> Vec<u8> {
    frame(3, stream, &reason.to_be_bytes())
}

pub(super) fn go_away(reason: u32, debug: &str) -> Vec<u8> {
    let mut payload = vec![0; 4];
    payload.extend(reason.to_be_bytes());
    payload.extend(debug.as_bytes());
    frame(7, 0, &payload)
}
