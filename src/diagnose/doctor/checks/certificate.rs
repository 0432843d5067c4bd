//! Checks of the metrics server's certificate.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::doctor::{Finding, observed::Observed};
use vas_api::METRICS_SERVER_SERVICE;

/// A certificate that is valid for less than this should have been renewed already.
const SOON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether the certificate is valid, and for how long.
pub(in crate::doctor) fn expiry(observed: &Observed) -> Vec<Finding> {
    let certificate = match &observed.certificate {
        Ok(certificate) => certificate,
        Err(why) => {
            return vec![Finding::skipped(
                "certificate of the metrics server",
                why.to_string(),
            )];
        }
    };
    let object = &certificate.object;
    let (field, day) = (certificate.field, day(certificate.not_after));
    let left = certificate.not_after.duration_since(observed.now);
    let restart = format!(
        "kubectl -n {} rollout restart deployment/{METRICS_SERVER_SERVICE} replaces one of its own; with --tls-cert-file renew the files",
        observed.install_namespace
    );
    vec![if left <= SignedDuration::ZERO {
        Finding::problem(object, format!("{field} ended on {day}")).fix(restart)
    } else if left < SOON {
        Finding::warning(
            object,
            format!("{field} ends on {day}, in {} hours", left.as_hours()),
        )
        .fix(restart)
    } else {
        Finding::ok(object, format!("{field} is valid until {day}"))
    }]
}

/// Whether the certificate names the Service, which is the name that the API server verifies.
pub(in crate::doctor) fn name(observed: &Observed) -> Vec<Finding> {
    let certificate = match &observed.certificate {
        Ok(certificate) => certificate,
        Err(why) => {
            return vec![Finding::skipped(
                "certificate of the metrics server",
                why.to_string(),
            )];
        }
    };
    let wanted = format!("{METRICS_SERVER_SERVICE}.{}.svc", observed.install_namespace);
    let Some(names) = &certificate.names else {
        return vec![Finding::skipped(
            &certificate.object,
            "only the CA could be read: the names stand in the Secret",
        )];
    };
    vec![if names.contains(&wanted) {
        Finding::ok(&certificate.object, format!("is made out to {wanted}"))
    } else {
        Finding::problem(
            &certificate.object,
            format!(
                "{} is made out to {}, not to {wanted}",
                certificate.field,
                names.join(", ")
            ),
        )
        .fix("issue it for that name: the API server refuses any other")
    }]
}

fn day(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{
        Severity,
        testing::{healthy, now, severities},
    };
    use vas_core::k8s::read::Unread;

    #[test]
    fn what_has_ended_is_a_problem_and_what_ends_soon_a_warning() {
        let mut observed = healthy();
        for (hours, expected) in [
            (-1, Severity::Problem),
            (24, Severity::Warning),
            (24 * 8, Severity::Ok),
        ] {
            observed.certificate.as_mut().unwrap().not_after = now() + SignedDuration::from_hours(hours);
            assert_eq!(severities(&expiry(&observed)), [expected], "{hours}");
        }
    }

    #[test]
    fn it_must_be_made_out_to_the_service() {
        let mut observed = healthy();
        observed.certificate.as_mut().unwrap().names = Some(vec!["localhost".to_owned()]);
        assert_eq!(severities(&name(&observed)), [Severity::Problem]);
        observed.certificate.as_mut().unwrap().names = None;
        assert_eq!(severities(&name(&observed)), [Severity::Skipped]);
        observed.certificate = Err(Unread::Forbidden("no".to_owned()));
        assert_eq!(severities(&expiry(&observed)), [Severity::Skipped]);
    }
}
