//! `vas crd`: the CustomResourceDefinition, generated from the types.

use std::process::ExitCode;

use kube::CustomResourceExt;

use super::output::{self, Format};
use crate::api::v1alpha1::VoiceAssistScaling;

/// Print the CustomResourceDefinition of VoiceAssistScaling
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

impl Args {
    pub(super) fn run(&self) -> ExitCode {
        let crd = serde_json::to_value(VoiceAssistScaling::crd());
        output::finish(
            crd.map_err(Into::into)
                .and_then(|crd| output::documents(self.output, &[(crd, None)])),
        )
    }
}
