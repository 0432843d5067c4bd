//! The reference of the command line: what `--help` prints for each command.

use std::fmt::Write as _;

use clap::Command;

/// The page.
pub(super) fn page(command: Command) -> String {
    let mut page = String::from(
        "# Commands and flags\n\nWhat `--help` prints for each command. A variable in square brackets sets the same as its flag.\n",
    );
    let mut command = without_values(command);
    // The names of subcommands become whole: `vas test run`.
    command.build();
    add(&mut page, &mut command);
    page
}

/// The command without the values that its variables have here, which are nobody else's.
fn without_values(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide_env_values(true))
        .mut_subcommands(without_values)
}

fn add(page: &mut String, command: &mut Command) {
    let help = command.render_long_help().to_string();
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    // Writing to a String cannot fail.
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n"));
    let shown = |command: &&mut Command| !command.is_hide_set() && command.get_name() != "help";
    for subcommand in command.get_subcommands_mut().filter(shown) {
        add(page, subcommand);
    }
}
