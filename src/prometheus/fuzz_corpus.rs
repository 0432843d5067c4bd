//! Inputs that fuzzing has kept (`make fuzz`), checked in every test run.

#[path = "../../tests/fuzz/checks/answer.rs"]
mod answer;
#[path = "../../tests/fuzz/replay.rs"]
mod replay;

use replay::hold;

#[test]
fn no_part_of_a_kept_answer_passes_for_a_whole_one() {
    hold("answer", answer::check);
}
