//! The configuration file of several Prometheus servers, as checked at the start.

use std::path::PathBuf;

use support::{cluster::run_dir, vas};

/// A new directory with these files in it.
pub(super) fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = run_dir().join(format!("configuration-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (file, content) in files {
        std::fs::write(folder.join(file), content).expect("a file can be written");
    }
    folder
}

/// A file that lists these servers.
pub(super) fn listing(servers: &str) -> String {
    format!(
        "apiVersion: config.scaling.voiceassist.io/v1alpha1\nkind: MetricsServerConfiguration\nprometheusServers:\n{servers}"
    )
}

/// The error of a start that ends with exit code 2.
fn refused(args: &[&str]) -> String {
    let output = vas::run(&[&["metrics-server"], args].concat());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
    stderr
}

#[test]
fn a_configuration_that_cannot_work_ends_the_start_and_names_file_field_and_fix() {
    let servers = listing(
        "
- {name: default, url: 'https://a', caFile: no-ca.crt, certFile: tls.crt, keyFile: no.key}
- {name: token, url: 'https://b', bearerTokenFile: empty}
- {name: user, url: 'http://user:s3cret@c'}
- {name: header, url: 'http://d', headers: [{name: 'a b', value: c}]}
- {name: trust, url: 'https://e', caFile: empty}
",
    );
    let folder = folder(
        "wrong",
        &[("config.yaml", &servers), ("empty", "\n"), ("tls.crt", "no PEM")],
    );
    let file = folder.join("config.yaml").display().to_string();
    let stderr = refused(&["--config", &file]);
    for words in [
        &format!("{file}: "),
        "prometheusServers[0].caFile: no-ca.crt cannot be read: No such file or directory",
        "prometheusServers[0].keyFile: no.key cannot be read",
        "prometheusServers[1].bearerTokenFile: empty is empty",
        "prometheusServers[2]: the Prometheus URL \"http://...@c\" is not usable: it holds credentials; take them out and give basicAuth",
        "prometheusServers[3].headers[0].name: is not the name of an HTTP header",
        "prometheusServers[4]: the CA certificates are not usable: no CERTIFICATE block",
    ] {
        assert!(stderr.contains(words), "{words}: {stderr}");
    }
    assert!(!stderr.contains("s3cret"), "{stderr}");
}

#[test]
fn a_misspelt_field_ends_the_start_with_what_was_meant() {
    let folder = folder(
        "misspelt",
        &[("config.yaml", &listing("- {name: default, urls: 'http://a'}\n"))],
    );
    let file = folder.join("config.yaml").display().to_string();
    let stderr = refused(&["--config", &file]);
    assert!(
        stderr.contains("prometheusServers[0].urls: unknown field; did you mean url?"),
        "{stderr}"
    );
    assert!(
        stderr.contains("prometheusServers[0].url: is required"),
        "{stderr}"
    );
}

#[test]
fn a_file_of_several_servers_wins_over_the_flags_of_one_with_a_warning() {
    let folder = folder(
        "wins",
        &[("config.yaml", &listing("- {name: default, url: 'http://a'}\n"))],
    );
    let file = folder.join("config.yaml").display().to_string();
    // The certificate ends the start once the servers are known.
    let stderr = refused(&[
        "--config",
        &file,
        "--prometheus-url=http://a",
        "--namespace-label=a",
        "--matchers=cluster=a",
        "--tls-cert-file=/nowhere",
        "--tls-private-key-file=/nowhere",
    ]);
    assert!(
        stderr.contains("--prometheus-url, --namespace-label, --matchers") && stderr.contains("WARN"),
        "{stderr}"
    );
    assert!(refused(&["--config=/nowhere"]).contains("/nowhere: cannot be read: No such file"));
}
