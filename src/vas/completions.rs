//! `vas completions`: the script with which a shell completes commands and flags.

use clap_complete::Shell;

use crate::{
    exit::{Code, Ended},
    output,
};

/// Print the script that completes commands and flags in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source <(vas completions bash)                                       in this shell
  vas completions bash > ~/.local/share/bash-completion/completions/vas
  vas completions zsh > \"${fpath[1]}/_vas\"
  vas completions fish > ~/.config/fish/completions/vas.fish")]
pub(super) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Args {
    pub(super) fn run(&self) -> Ended {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::command(), "vas", &mut script);
        output::text(&String::from_utf8_lossy(&script))?;
        Ok(Code::Success)
    }
}
