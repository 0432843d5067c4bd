//! The report of `vas doctor` as JSON, for programs.

use serde_json::{Value, json};

use vas_diagnose::doctor::{Report, Severity};

/// Version of the JSON format. Fields may be added to it; the meaning of a field never changes.
const API_VERSION: &str = "doctor.scaling.voiceassist.io/v1";

/// One JSON object with all findings, also those without a problem.
pub(super) fn render(report: &Report) -> String {
    let findings: Vec<Value> = report
        .checked
        .iter()
        .flat_map(|checked| {
            checked.findings.iter().map(|finding| {
                json!({
                    "check": checked.check.id,
                    "group": checked.check.group,
                    "severity": finding.severity,
                    "object": finding.object,
                    "message": finding.message,
                    "fix": finding.fix,
                })
            })
        })
        .collect();
    let object = json!({
        "apiVersion": API_VERSION,
        "kind": "DoctorReport",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": {
            "problem": report.count(Severity::Problem),
            "warning": report.count(Severity::Warning),
            "skipped": report.count(Severity::Skipped),
            "ok": report.count(Severity::Ok),
        },
        "findings": findings,
    });
    // The alternate format of a `Value` is indented JSON.
    format!("{object:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vas_diagnose::doctor::{CHECKS, Checked, Finding};

    #[test]
    fn the_object_says_its_version_and_counts_what_it_lists() {
        let report = Report {
            checked: vec![Checked {
                check: &CHECKS[0],
                findings: vec![
                    Finding::problem("A b", "broken").fix("mend it"),
                    Finding::skipped("A c", "unread"),
                ],
            }],
        };
        let object: Value = serde_json::from_str(&render(&report)).unwrap();
        assert_eq!(object["apiVersion"], API_VERSION);
        assert_eq!(object["kind"], "DoctorReport");
        assert_eq!(
            object["summary"],
            json!({"problem": 1, "warning": 0, "skipped": 1, "ok": 0})
        );
        assert_eq!(object["findings"][0]["severity"], "problem");
        assert_eq!(object["findings"][0]["fix"], "mend it");
        assert_eq!(object["findings"][1]["fix"], Value::Null);
    }
}
