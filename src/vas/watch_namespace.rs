//! `--watch-namespace` of the servers.

use vas_cluster::watch::Scope;

/// Which namespaces a server looks at.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WatchNamespaceArgs {
    /// Look at the resources of these namespaces only; may be given several times. The rights can then be given in
    /// these namespaces alone. Default: all namespaces
    #[arg(
        long,
        value_name = "NAMESPACE,...",
        value_delimiter = ',',
        value_parser = parse,
        env = "VAS_WATCH_NAMESPACE"
    )]
    watch_namespace: Vec<String>,
}

impl WatchNamespaceArgs {
    pub(crate) fn scope(&self) -> Scope {
        Scope::of(self.watch_namespace.iter().cloned())
    }
}

/// A namespace's name. An empty one is refused: what was left out by mistake must not widen to all namespaces.
fn parse(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_allowed = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    if name.is_empty() {
        return Err(
            "a namespace has a name; leave the flag and VAS_WATCH_NAMESPACE out to look at all".to_owned(),
        );
    }
    if name.len() > 63 || !name.chars().all(is_allowed) || name.starts_with('-') || name.ends_with('-') {
        return Err("no name of a namespace: a-z, 0-9 and -, at most 63 characters".to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Command {
        #[command(flatten)]
        args: WatchNamespaceArgs,
    }

    fn scope(args: &[&str]) -> Result<String, String> {
        let parsed = Command::try_parse_from([&["vas"], args].concat());
        parsed
            .map(|command| command.args.scope().to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn namespaces_are_named_with_commas_or_by_several_flags() {
        assert_eq!(scope(&[]).unwrap(), "all namespaces");
        assert_eq!(scope(&["--watch-namespace=b, a"]).unwrap(), "a, b");
        assert_eq!(
            scope(&["--watch-namespace", "b", "--watch-namespace", "a,c"]).unwrap(),
            "a, b, c"
        );
    }

    #[test]
    fn what_is_no_name_is_refused_and_never_means_all() {
        for wrong in ["", "a,,b", "A", "-a", "a/b", "*"] {
            let flag = format!("--watch-namespace={wrong}");
            assert!(scope(&[&flag]).is_err(), "{wrong:?} was accepted");
        }
    }
}
