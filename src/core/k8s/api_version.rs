//! The parts of an `apiVersion`: `apps/v1` is version `v1` of the group `apps`. The core group has no name and
//! is not written: its version is `v1` alone.

/// Group and version.
pub fn split(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// The group; empty for the core group. All versions of a group serve the same objects.
pub fn group(api_version: &str) -> &str {
    split(api_version).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_group_has_no_name() {
        assert_eq!(split("apps/v1"), ("apps", "v1"));
        assert_eq!(split("v1"), ("", "v1"));
        assert_eq!(group("autoscaling.k8s.io/v1"), "autoscaling.k8s.io");
    }
}
