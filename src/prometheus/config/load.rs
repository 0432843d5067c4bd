//! Reads the configuration file and the files that it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::{
    Problem,
    model::{self, Authorization, Header, ServerEntry},
    parse,
};
use crate::{
    ClientSettings,
    servers::{ServerSettings, Servers},
};

/// Largest file that is read: a bundle of many CA certificates fits.
const MAX_BYTES: u64 = 4 << 20;

/// The configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    path: PathBuf,
}

/// All problems of a configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: PathBuf,
    problems: Vec<Problem>,
}

impl std::error::Error for ConfigError {}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.file.display();
        match self.problems.as_slice() {
            [problem] => write!(f, "{file}: {problem}"),
            problems => {
                write!(f, "{file}: {} problems", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// A parsed file, with the content of the files that it names. There is no `Debug`, because keys and tokens
/// are among it.
#[derive(Clone, PartialEq)]
pub struct Loaded {
    /// The path of each server in the document, by the server's name.
    paths: BTreeMap<String, String>,
    /// The settings of the servers whose files could all be read.
    settings: BTreeMap<String, ServerSettings>,
    /// The problems of the files of all other servers.
    problems: Vec<Problem>,
    /// Hash of the configuration file alone, equal for equal texts. It does not include secrets, so it
    /// reveals nothing about them.
    pub hash: u64,
}

impl ConfigFile {
    /// The file at `path`. Relative paths in it start at its directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The settings of every server by name, for commands that read the file once.
    ///
    /// # Errors
    /// All problems of the file and of the files that it names.
    pub fn servers(&self) -> Result<BTreeMap<String, ServerSettings>, ConfigError> {
        Ok(self.applied(&Servers::default())?.settings)
    }

    /// Loads the file, and replaces the servers by those in it. Any problem is an error.
    ///
    /// # Errors
    /// All problems of the file, and of the servers that cannot be built.
    pub fn applied(&self, servers: &Servers) -> Result<Loaded, ConfigError> {
        let loaded = self.load()?;
        let problems = loaded.apply(servers);
        if problems.is_empty() {
            Ok(loaded)
        } else {
            Err(self.error(problems))
        }
    }

    /// An error of this file with these problems.
    pub fn error(&self, problems: Vec<Problem>) -> ConfigError {
        ConfigError {
            file: self.path.clone(),
            problems,
        }
    }

    /// Reads the file, and the files that it names. A server with an unreadable file is left out, and its
    /// problem is added.
    ///
    /// # Errors
    /// Where the file cannot be read, is not UTF-8, or is no configuration.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        let whole = |rule: String| Problem {
            path: String::new(),
            rule,
        };
        let bytes = read(&self.path).map_err(|rule| self.error(vec![whole(rule)]))?;
        let hash = fnv1a(&bytes);
        let text =
            String::from_utf8(bytes).map_err(|_| self.error(vec![whole("is not UTF-8".to_owned())]))?;
        let servers = parse::servers(&text).map_err(|problems| self.error(problems))?;
        let mut loaded = Loaded {
            paths: BTreeMap::new(),
            settings: BTreeMap::new(),
            problems: Vec::new(),
            hash,
        };
        let base = self.path.parent().unwrap_or(Path::new("."));
        for server in servers {
            // A server counts as readable if reading its files added no problem. The others of the file are
            // used all the same.
            let before = loaded.problems.len();
            let mut files = Files {
                base,
                problems: &mut loaded.problems,
            };
            let settings = files.settings(&server);
            if loaded.problems.len() == before {
                loaded.settings.insert(server.name.clone(), settings);
            }
            loaded.paths.insert(server.name, server.path);
        }
        Ok(loaded)
    }
}

impl Loaded {
    /// Replaces the servers by the loaded ones, and returns all problems. A server with a problem stays as it
    /// was.
    pub fn apply(&self, servers: &Servers) -> Vec<Problem> {
        let kept: BTreeSet<String> = self.paths.keys().cloned().collect();
        let failures = servers.update(self.settings.clone(), &kept);
        let failures = failures.into_iter().map(|(name, error)| Problem {
            path: self.paths.get(&name).cloned().unwrap_or_default(),
            rule: error.to_string(),
        });
        self.problems.iter().cloned().chain(failures).collect()
    }
}

/// Reads the files that a server's entry names.
struct Files<'a> {
    base: &'a Path,
    problems: &'a mut Vec<Problem>,
}

impl Files<'_> {
    fn settings(&mut self, server: &ServerEntry) -> ServerSettings {
        let at = |field: &str| format!("{}.{field}", server.path);
        let ca = server
            .ca_file
            .as_ref()
            .and_then(|file| self.bytes(&at("caFile"), file));
        let identity = server.client_certificate.as_ref().and_then(|client| {
            // Both files are read before `?`, so that two problems are reported together.
            let certificate = self.bytes(&at("certFile"), &client.cert_file);
            let key = self.bytes(&at("keyFile"), &client.key_file);
            Some([certificate?, b"\n".to_vec(), key?].concat())
        });
        let mut headers = HeaderMap::new();
        if let Some(authorization) = &server.authorization
            && let Some(value) = self.authorization(&server.path, authorization)
        {
            headers.insert(AUTHORIZATION, value);
        }
        for header in &server.headers {
            if let Some((name, value)) = self.header(header) {
                headers.insert(name, value);
            }
        }
        ServerSettings {
            client: ClientSettings {
                url: server.url.clone(),
                limits: server.limits,
                ca,
                identity,
                headers,
            },
            poll_interval: server.poll_interval,
            source: server.source.clone(),
        }
    }

    fn authorization(&mut self, path: &str, authorization: &Authorization) -> Option<HeaderValue> {
        let (field, text) = match authorization {
            Authorization::BearerToken { file } => {
                let field = format!("{path}.bearerTokenFile");
                let token = self.secret(&field, file)?;
                (field, format!("Bearer {token}"))
            }
            Authorization::Basic {
                username,
                password_file,
            } => {
                let field = format!("{path}.basicAuth.passwordFile");
                let password = self.secret(&field, password_file)?;
                (
                    field,
                    format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))),
                )
            }
        };
        self.sensitive(&field, &text)
    }

    fn header(&mut self, header: &Header) -> Option<(HeaderName, HeaderValue)> {
        let name = HeaderName::try_from(&header.name);
        if name.is_err() {
            self.refuse(
                format!("{}.name", header.path),
                "is not the name of an HTTP header",
            );
        }
        let value = match &header.value {
            model::HeaderValue::Written(text) => {
                let field = format!("{}.value", header.path);
                // The value is not secret, but it may name a tenant, which logs should not show.
                self.sensitive(&field, text)
            }
            model::HeaderValue::InFile(file) => {
                let field = format!("{}.valueFile", header.path);
                let text = self.secret(&field, file)?;
                self.sensitive(&field, &text)
            }
        };
        Some((name.ok()?, value?))
    }

    /// A header value that is never logged.
    fn sensitive(&mut self, field: &str, text: &str) -> Option<HeaderValue> {
        if let Ok(mut value) = HeaderValue::try_from(text) {
            value.set_sensitive(true);
            Some(value)
        } else {
            self.refuse(
                field.to_owned(),
                "holds characters that an HTTP header cannot carry",
            );
            None
        }
    }

    /// The text of a file with a secret, without the line break at its end.
    fn secret(&mut self, field: &str, file: &Path) -> Option<String> {
        let bytes = self.bytes(field, file)?;
        let text = String::from_utf8_lossy(&bytes)
            .trim_end_matches(['\r', '\n'])
            .to_owned();
        if text.is_empty() {
            self.refuse(field.to_owned(), &format!("{} is empty", file.display()));
            return None;
        }
        Some(text)
    }

    fn bytes(&mut self, field: &str, file: &Path) -> Option<Vec<u8>> {
        match read(&self.base.join(file)) {
            Ok(bytes) => Some(bytes),
            Err(rule) => {
                self.refuse(field.to_owned(), &format!("{} {rule}", file.display()));
                None
            }
        }
    }

    fn refuse(&mut self, path: String, rule: &str) {
        self.problems.push(Problem {
            path,
            rule: rule.to_owned(),
        });
    }
}

/// The content of a file, or the text of a problem.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size <= MAX_BYTES) {
        Ok(bytes)
    } else {
        Err("is larger than 4 MiB".to_owned())
    }
}

/// FNV-1a, cut to 48 bits, which the value of a metric (a double) holds exactly.
fn fnv1a(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash >> 16
}
