//! Inputs that fuzzing has kept (`make fuzz`), checked in every test run.

#[path = "../../tests/fuzz/checks/path.rs"]
mod path;
#[path = "../../tests/fuzz/replay.rs"]
mod replay;

use replay::hold;

#[test]
fn kept_paths_read_no_other_namespace() {
    hold("path", path::check);
}
