//! A name server for image/check.sh: whatever IPv4 address is asked for is 127.0.0.9. It prints each name.

use std::{io, net::UdpSocket};

/// Where the question of a request begins.
const QUESTION: usize = 12;
/// An answer: the name of the question, type A, class IN, a life of 5 seconds, 4 bytes.
const ANSWER: [u8; 16] = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 9];

fn main() -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:53")?;
    let mut buffer = [0; 512];
    loop {
        let (length, client) = socket.recv_from(&mut buffer)?;
        let request = &buffer[..length];
        let mut name = String::new();
        let mut at = QUESTION;
        while let Some(&label) = request.get(at).filter(|label| **label > 0) {
            let end = at + 1 + usize::from(label);
            name.push_str(&String::from_utf8_lossy(request.get(at + 1..end).unwrap_or_default()));
            name.push('.');
            at = end;
        }
        let Some(question) = request.get(QUESTION..at + 5) else { continue };
        println!("{name}");
        let is_a = request[at + 1..at + 3] == [0, 1];
        // An authoritative answer without an error, to one question, with one record or none.
        let mut answer = vec![request[0], request[1], 0x85, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0];
        answer.extend_from_slice(question);
        if is_a {
            answer.extend_from_slice(&ANSWER);
        }
        socket.send_to(&answer, client)?;
    }
}
