//! The boards for Grafana as they ship: the files are those of the program, and kustomize makes ConfigMaps of them.

mod evaluated;
mod live;

use std::{collections::BTreeMap, path::Path};

use support::{
    cluster::{root, run_dir},
    kustomization::Kustomization,
    vas::run,
};

const FOLDER: &str = "manifests/monitoring/dashboards";

/// The JSON files of a folder, by name.
fn boards(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&file).unwrap())
        })
        .collect()
}

#[test]
fn the_boards_are_those_of_the_program() {
    let folder = run_dir().join("boards");
    let _ = std::fs::remove_dir_all(&folder);
    let written = run(&["monitoring", "dashboards", "-o", folder.to_str().unwrap()]);
    assert!(
        written.status.success() && written.stdout.is_empty(),
        "{written:?}"
    );
    let (generated, checked_in) = (boards(&folder), boards(&root().join(FOLDER)));
    assert_eq!(generated.len(), 3);
    for (name, text) in &generated {
        let is_same = checked_in.get(name) == Some(text);
        assert!(is_same, "{FOLDER}/{name} is out of date: run `make generate`");
    }
    let names = checked_in.keys().filter(|name| !generated.contains_key(*name));
    assert_eq!(
        names.count(),
        0,
        "{FOLDER} has a board that the program does not know"
    );
}

#[test]
fn without_a_folder_all_boards_are_printed() {
    let printed = run(&["monitoring", "dashboards"]);
    let text = String::from_utf8(printed.stdout).unwrap();
    let mut checked_in = boards(&root().join(FOLDER));
    for value in serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>() {
        let value = value.unwrap();
        let name = format!("{}.json", value["uid"].as_str().unwrap());
        let file = checked_in.remove(&name).expect("a file of that name");
        assert_eq!(value, serde_json::from_str::<serde_json::Value>(&file).unwrap());
    }
    assert!(checked_in.is_empty(), "{:?}", checked_in.keys());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = run_dir().join("no-folder");
    std::fs::create_dir_all(run_dir()).unwrap();
    std::fs::write(&file, "").unwrap();
    let refused = run(&["monitoring", "dashboards", "-o", file.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(words.contains("no-folder: the folder cannot be made"), "{words}");
}

#[test]
fn the_component_for_grafana_brings_a_configmap_of_each_board() {
    let folder = run_dir().join("with-boards");
    std::fs::create_dir_all(&folder).unwrap();
    // kustomize takes relative paths alone.
    let up = "../".repeat(folder.strip_prefix(root()).unwrap().components().count());
    let file =
        format!("resources: [{up}manifests/install]\ncomponents: [{up}manifests/monitoring/grafana]\n");
    std::fs::write(folder.join("kustomization.yaml"), file).unwrap();
    let rendered = Kustomization::render(&folder);
    let labelled = |object: &&serde_json::Value| object["metadata"]["labels"]["grafana_dashboard"] == "1";
    let maps: Vec<_> = rendered.of_kind("ConfigMap").filter(labelled).collect();
    let checked_in = boards(&root().join(FOLDER));
    assert_eq!(maps.len(), checked_in.len());
    for (name, text) in checked_in {
        let map = maps.iter().find(|map| map["data"][&name] == text);
        let map = map.unwrap_or_else(|| panic!("no ConfigMap has {name}"));
        assert_eq!(map["metadata"]["namespace"], "vas-system");
        assert_eq!(
            format!("{}.json", map["metadata"]["name"].as_str().unwrap()),
            name
        );
    }
}
