//! Inputs that fuzzing has kept (`make fuzz`), checked in every test run.

#[path = "../../tests/fuzz/checks/import.rs"]
mod import;
#[path = "../../tests/fuzz/replay.rs"]
mod replay;

use replay::hold;

#[test]
fn kept_configurations_become_entries_or_reasons() {
    hold("import", import::check);
}
