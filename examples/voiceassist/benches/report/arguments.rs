//! How much is measured.

use clap::Parser;
use voiceassist::generator::Amounts;

/// Measure VoiceAssist with each of its optimisations off and on
#[derive(Parser, Debug)]
pub(crate) struct Arguments {
    /// A tenth of the data and short runs: whether all of it works
    #[arg(long)]
    pub(crate) quick: bool,
    /// Instead: run the scenarios of this suite of vas, one after the other, with one verdict (release: all of them)
    #[arg(long)]
    pub(crate) suite: Option<String>,
    /// `cargo bench` says this
    #[arg(long, hide = true)]
    bench: bool,
}

/// How much data, and how long each run is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) amounts: Amounts,
    /// Users at once, in the order in which they are measured.
    pub(crate) users: &'static [u32],
    /// Seconds of a run.
    pub(crate) seconds: u32,
    /// Share of the length of the scenario `mixed`.
    pub(crate) mix: &'static str,
}

impl Arguments {
    pub(crate) fn size(&self) -> Size {
        let amounts = Amounts {
            accounts: 10_000,
            messages: if self.quick { 100_000 } else { 1_000_000 },
            documents: if self.quick { 500 } else { 5000 },
            audit_entries: if self.quick { 20_000 } else { 200_000 },
            seed: 1,
        };
        Size {
            amounts,
            users: if self.quick { &[1, 50] } else { &[1, 50, 100, 200] },
            seconds: if self.quick { 3 } else { 10 },
            mix: if self.quick { "0.02" } else { "0.1" },
        }
    }
}
