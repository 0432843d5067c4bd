//! Sets up logging: JSON lines for a cluster's log pipeline, readable lines on a terminal, always on stderr.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::terminal;

/// Events of kube's HTTP client, which are switched off unless the filter names `kube_client`.
const QUIET: &str = "kube_client::client::builder=off";

/// Format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text if stderr is a terminal, else JSON.
    #[default]
    Auto,
    /// One readable line per event.
    Text,
    /// One JSON object per line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not valid.
    #[error("--log-level {level:?} is not a filter such as info or vas=debug,kube=warn: {source}")]
    Filter {
        /// The filter as it was given.
        level: String,
        /// The error of the parser.
        source: ParseError,
    },
    /// Logging was set up before in this process.
    #[error("logging was already set up in this process")]
    AlreadySet,
}

/// Installs the process-wide subscriber. `level` is a `tracing` filter: `info`, `vas=debug,kube=warn`.
///
/// # Errors
/// See [`LogError`].
pub fn init(format: LogFormat, level: &str) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(level).map_err(|source| LogError::Filter {
        level: level.to_owned(),
        source,
    })?;
    // kube logs each refused request as an ERROR, also one that is expected (404, 409); our callers log what
    // matters.
    let filter = match QUIET.parse() {
        Ok(quiet) if !level.contains("kube_client") => filter.add_directive(quiet),
        Ok(_) | Err(_) => filter,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    let installed = if format.is_json(terminal) {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init()
    } else {
        builder
            .with_ansi(terminal::colours(&std::io::stderr()))
            .try_init()
    };
    installed.map_err(|_| LogError::AlreadySet)
}

impl LogFormat {
    fn is_json(self, terminal: bool) -> bool {
        match self {
            Self::Auto => !terminal,
            Self::Text => false,
            Self::Json => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_json_unless_a_terminal_reads_it() {
        assert!(LogFormat::Auto.is_json(false));
        assert!(!LogFormat::Auto.is_json(true));
        assert!(LogFormat::Json.is_json(true));
        assert!(!LogFormat::Text.is_json(false));
    }

    #[test]
    fn a_wrong_filter_is_named() {
        let error = init(LogFormat::Text, "vas=loud").unwrap_err();
        assert!(error.to_string().contains("vas=loud"), "{error}");
    }
}
