//! `vas crd`: the CustomResourceDefinition, generated from the types.

use crate::{
    exit::{Code, Ended},
    output::{self, Format},
};
use vas_api::v1alpha1;

/// Print the CustomResourceDefinition of VoiceAssistScaling
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        output::documents(self.output, &[(v1alpha1::crd(), None)])?;
        Ok(Code::Success)
    }
}
