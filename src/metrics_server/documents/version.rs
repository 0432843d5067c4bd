//! `/version`: the build of this server, in the form that every Kubernetes client reads.

use serde_json::json;

use super::cached::Document;

/// The document. Clients expect every field, so fields without a value in this build are empty.
pub(super) fn document() -> Document {
    let mut numbers = env!("CARGO_PKG_VERSION").split('.');
    Document::json(&json!({
        "major": numbers.next().unwrap_or_default(),
        "minor": numbers.next().unwrap_or_default(),
        "gitVersion": concat!("v", env!("CARGO_PKG_VERSION")),
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    }))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::version::Info;

    use super::*;

    #[test]
    fn version_names_this_build_to_client_libraries() {
        let info: Info = document().parsed();
        assert_eq!(info.git_version, format!("v{}", env!("CARGO_PKG_VERSION")));
        assert!(
            info.git_version
                .starts_with(&format!("v{}.{}.", info.major, info.minor))
        );
        assert!(info.platform.starts_with("linux/") || !cfg!(target_os = "linux"));
    }
}
