//! Why the engine gives no measurements.

/// Why a load could not be started, or why its measurements are lost.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A step of the scenario cannot be sent.
    #[error("step {step:?}: {cause}")]
    Step {
        /// Name of the step.
        step: String,
        /// What is wrong with the step.
        cause: String,
    },
    /// Another host of the scenario cannot be used.
    #[error("host {name}: {cause}")]
    Host {
        /// Name of the host.
        name: String,
        /// What is wrong with its URL.
        cause: String,
    },
    /// A thread could not be started.
    #[error("cannot start a thread that sends: {0}")]
    Thread(#[source] std::io::Error),
    /// A thread ended without handing on its measurements.
    #[error("a thread that sends ended early; what it measured is lost")]
    Lost,
}
