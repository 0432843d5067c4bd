//! Flags of the live page of a run.

use std::net::SocketAddr;

use crate::{
    exit::{Code, CommandError},
    stderr,
};
use vas_cluster::shutdown;
use vas_loadtest::{
    report::Report,
    web::{Web, WebAddress, WebError},
};

/// The address of the live page.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WebArgs {
    /// Show the run in a browser while it goes on, with a button that stops it, at the URL that is printed:
    /// 127.0.0.1:0 takes any free port. The URL has a secret. When the run is over the page becomes the report
    /// of -o html=, and vas ends when open pages have it, after 10 s at most
    #[arg(long, value_name = "ADDRESS:PORT")]
    web: Option<SocketAddr>,
    /// Let --web listen on an address that other machines reach. It is plain HTTP: who reads along can stop
    /// the run
    #[arg(long, requires = "web")]
    web_allow_remote: bool,
}

impl CommandError for WebError {
    fn code(&self) -> Code {
        match self {
            Self::Remote(_) => Code::Invalid,
            Self::Listen { .. } | Self::Token => Code::Failure,
        }
    }
}

/// Lets open pages get the report. A signal ends the wait.
pub(crate) async fn finish(web: Web, report: &Report) {
    match shutdown::on_signal() {
        Ok(signal) => {
            signal.run_until_cancelled(web.finish(report)).await;
        }
        // Without handlers a signal ends the process, which ends the wait too.
        Err(_) => web.finish(report).await,
    }
}

impl WebArgs {
    /// Whether a live page was asked for.
    pub(crate) fn is_wanted(&self) -> bool {
        self.web.is_some()
    }

    /// The address to listen on; `None` without a live page.
    ///
    /// # Errors
    /// When other machines can reach it, and that was not allowed.
    pub(crate) fn address(&self) -> Result<Option<WebAddress>, WebError> {
        let new = |address| WebAddress::new(address, self.web_allow_remote);
        self.web.map(new).transpose()
    }

    /// Serves the live page if one was asked for, and prints its URL; must be called on the runtime.
    ///
    /// # Errors
    /// When the address is refused, in use, or not one of this machine.
    pub(crate) fn serve(&self) -> Result<Option<Web>, WebError> {
        let web = self.address()?.map(Web::serve).transpose()?;
        if let Some(web) = &web {
            // Also with --quiet: without the line nobody could open the page.
            stderr::say(&format!("live page: {}", web.address()));
        }
        Ok(web)
    }
}
