//! The reference of conditions and Events, from the tables of the API.

use std::fmt::Write as _;

use super::cell;
use vas_api::condition::{TYPES, Word, event, reason};

/// The page.
pub(super) fn page() -> String {
    let mut page = String::from("# Conditions and Events\n");
    add(
        &mut page,
        "Types of conditions",
        "In `status.conditions` of the resource. `ScaleTargetFound`, `ResourcesApplied`, `ScalingActive` and `AbleToScale` are \
         in `status.workloads[].conditions` of each workload too.",
        TYPES,
    );
    add(
        &mut page,
        "Reasons of conditions",
        "`ScalingActive` and `AbleToScale` have the reasons of the HPA, which its `kubectl describe` explains.",
        reason::ALL,
    );
    add(
        &mut page,
        "Reasons of Events",
        "Events are about the VoiceAssistScaling. A condition that turns False has a Warning with its reason, one for each \
         workload where the workload is the cause. `Ready` that turns True has an Event, and so have the beginning and the end of \
         a suspension. These reasons are of Events alone:",
        event::ALL,
    );
    page
}

fn add(page: &mut String, title: &str, introduction: &str, words: &[Word]) {
    // Writing to a String cannot fail.
    let _ = write!(
        page,
        "\n## {title}\n\n{introduction}\n\n| word | meaning |\n| --- | --- |\n"
    );
    for Word { word, meaning } in words {
        let _ = writeln!(page, "| `{word}` | {} |", cell(&meaning.join("\n")));
    }
}
