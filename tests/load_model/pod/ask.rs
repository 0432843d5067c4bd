//! A pod that asks others for what may not be its to know, and says what each answered.
//!
//! Each URL is asked as nobody, with the token of the pod's own service account, and with the headers by which the API
//! server's proxy names its callers. Certificates are not checked: the answers are what counts.

use std::{io::Write as _, time::Duration};

use serde::Serialize;

use crate::Error;

const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// What the API server's proxy would say of an administrator.
const FORGED: [(&str, &str); 2] = [
    ("X-Remote-User", "kubernetes-admin"),
    ("X-Remote-Group", "system:masters"),
];

/// A line of the output.
#[derive(Serialize)]
struct Answer<'a> {
    asker: &'a str,
    url: &'a str,
    /// Absent where there was no answer.
    status: Option<u16>,
    body: String,
}

/// Asks for all, one after the other.
pub(super) async fn all(urls: &[String]) -> Result<(), Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .timeout(Duration::from_secs(10))
        .build()?;
    let token = std::fs::read_to_string(TOKEN)?;
    for url in urls {
        for asker in ["nobody", "its service account", "a forger"] {
            let request = client.get(url);
            let request = match asker {
                "nobody" => request,
                "a forger" => FORGED
                    .iter()
                    .fold(request, |request, (name, value)| request.header(*name, *value)),
                _ => request.bearer_auth(token.trim()),
            };
            let (status, body) = match request.send().await {
                Ok(answer) => (Some(answer.status().as_u16()), answer.text().await?),
                Err(error) => (None, error.to_string()),
            };
            let answer = Answer {
                asker,
                url,
                status,
                body,
            };
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&answer)?)?;
        }
    }
    Ok(())
}
