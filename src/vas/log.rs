//! `--log-format` and `--log-level` of the servers.

use clap::Args;

use vas_cluster::telemetry::log::{self, LogError, LogFormat};

/// How the process logs to standard error.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct LogArgs {
    /// How log lines look; auto is text on a terminal and JSON elsewhere
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        env = "VAS_LOG_FORMAT"
    )]
    log_format: LogFormat,
    /// What is logged: a level, or a filter such as info,vas=debug
    #[arg(long, value_name = "FILTER", default_value = "info", env = "VAS_LOG_LEVEL")]
    log_level: String,
}

impl LogArgs {
    /// Sets up logging for the process.
    ///
    /// # Errors
    /// See [`LogError`].
    pub(crate) fn init(&self) -> Result<(), LogError> {
        log::init(self.log_format, &self.log_level)
    }
}
