//! The container image: what its archive holds, that the same input makes the same bytes, and that its version is one.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use serde_json::{Value, json};

use support::cluster::{root, run_dir};

/// Machines of ELF programs.
const X86_64: u16 = 62;
const AARCH64: u16 = 183;
/// Kinds of program headers.
const LOAD: u32 = 1;
const INTERPRETER: u32 = 3;

fn folder() -> PathBuf {
    let folder = run_dir().join("image");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A program for a machine, as far as its headers go.
fn program(name: &str, machine: u16, headers: &[u32]) -> PathBuf {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    bytes[32] = 64;
    bytes[54] = 56;
    bytes[56] = u8::try_from(headers.len()).expect("few headers");
    for kind in headers {
        let mut header = [0; 56];
        header[..4].copy_from_slice(&kind.to_le_bytes());
        bytes.extend(header);
    }
    let path = folder().join(name);
    std::fs::write(&path, bytes).expect("a program");
    path
}

/// The file of certificates of all tests. It is written once, because another test may be reading it.
fn certificates() -> PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let write = || {
        let path = folder().join("roots.pem");
        std::fs::write(&path, "roots").expect("a file of certificates");
        path
    };
    FILE.get_or_init(write).clone()
}

fn archive(arch: &str, program: &Path, umask: &str, output: &Path) -> Output {
    let program = program.to_string_lossy();
    let options = ["--image", "voiceassist/vas:1.2.3", "--program", &program];
    archive_of(arch, &options, umask, output)
}

/// The archive of what these options say.
fn archive_of(arch: &str, options: &[&str], umask: &str, output: &Path) -> Output {
    Command::new("sh")
        .args([
            "-c",
            &format!("umask {umask}; exec image/archive.sh \"$@\""),
            "sh",
        ])
        .args(["--arch", arch])
        .args(options)
        .arg("--output")
        .arg(output)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .env("REVISION", "a1b2c3")
        .env("SOURCE", "https://git.example/vas")
        .env("CA_CERTIFICATES", certificates())
        .current_dir(root())
        .output()
        .expect("sh starts")
}

fn words(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    format!("{stdout}{}", String::from_utf8_lossy(&output.stderr))
}

fn tar(args: &[&str], file: &Path) -> String {
    let output = Command::new("tar")
        .args(args)
        .arg(file)
        .output()
        .expect("tar starts");
    assert!(output.status.success(), "{}", words(&output));
    String::from_utf8(output.stdout).expect("names are UTF-8")
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The unpacked archive; a blob is found by its descriptor, whose digest and size are checked.
struct Unpacked(PathBuf);

impl Unpacked {
    fn of(file: &Path) -> Self {
        let folder = file.with_extension("unpacked");
        std::fs::create_dir_all(&folder).expect("a folder");
        tar(&["--directory", &folder.to_string_lossy(), "-xf"], file);
        Self(folder)
    }

    fn json(&self, name: &str) -> Value {
        let text = std::fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn blob(&self, descriptor: &Value) -> PathBuf {
        let digest = descriptor["digest"].as_str().expect("a digest");
        let path = self.0.join("blobs").join(digest.replace(':', "/"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{digest}: {error}"));
        assert_eq!(sha256(&bytes), digest);
        assert_eq!(json!(bytes.len()), descriptor["size"], "{digest}");
        path
    }

    fn blob_json(&self, descriptor: &Value) -> Value {
        let path = self.blob(descriptor);
        serde_json::from_slice(&std::fs::read(path).expect("it was read before")).expect("JSON")
    }
}

#[test]
fn the_archive_is_an_image_of_one_static_program_that_runs_as_nobody() {
    let file = folder().join("image.tar");
    let built = archive("arm64", &program("static", AARCH64, &[LOAD]), "022", &file);
    assert!(built.status.success(), "{}", words(&built));
    let unpacked = Unpacked::of(&file);
    assert_eq!(unpacked.json("oci-layout")["imageLayoutVersion"], "1.0.0");
    let descriptor = unpacked.json("index.json")["manifests"][0].clone();
    assert_eq!(json!(words(&built).trim()), descriptor["digest"]);
    assert_eq!(
        descriptor["annotations"],
        json!({
            "io.containerd.image.name": "docker.io/voiceassist/vas:1.2.3",
            "org.opencontainers.image.ref.name": "1.2.3",
        })
    );
    let manifest = unpacked.blob_json(&descriptor);
    let image = unpacked.blob_json(&manifest["config"]);
    assert_eq!(
        (&image["architecture"], &image["os"]),
        (&json!("arm64"), &json!("linux"))
    );
    assert_eq!(image["created"], "2023-11-14T22:13:20Z");
    assert_eq!(
        image["config"],
        json!({
            "User": "65532:65532",
            "Entrypoint": ["/static"],
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": "static",
                "org.opencontainers.image.version": env!("CARGO_PKG_VERSION"),
                "org.opencontainers.image.revision": "a1b2c3",
                "org.opencontainers.image.source": "https://git.example/vas",
                "org.opencontainers.image.licenses": "Apache-2.0",
                "org.opencontainers.image.created": "2023-11-14T22:13:20Z",
            },
        })
    );

    let layers = manifest["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 1);
    let layer = unpacked.blob(&layers[0]);
    let unzipped = Command::new("gzip")
        .args(["-dc"])
        .arg(&layer)
        .output()
        .expect("gzip starts");
    assert_eq!(image["rootfs"]["diff_ids"], json!([sha256(&unzipped.stdout)]));
    let listed = tar(&["--numeric-owner", "-tvzf"], &layer);
    let files: Vec<String> = listed
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            format!("{} {} {}", fields[0], fields[1], fields.last().expect("a name"))
        })
        .filter(|line| !line.starts_with('d'))
        .collect();
    assert_eq!(
        files,
        [
            "-rw-r--r-- 0/0 ./LICENSE",
            "-rw-r--r-- 0/0 ./etc/ssl/certs/ca-certificates.crt",
            "-rwxr-xr-x 0/0 ./static",
        ]
    );
    assert!(
        !listed
            .lines()
            .any(|line| line.starts_with('d') && !line.starts_with("drwxr-xr-x")),
        "{listed}"
    );

    // The same in the format of `docker save`.
    let old = unpacked.json("manifest.json");
    assert_eq!(old[0]["RepoTags"], json!(["voiceassist/vas:1.2.3"]));
    let named = |path: &Value| {
        format!(
            "sha256:{}",
            path.as_str().expect("a path").trim_start_matches("blobs/sha256/")
        )
    };
    assert_eq!(json!(named(&old[0]["Config"])), manifest["config"]["digest"]);
    assert_eq!(json!(named(&old[0]["Layers"][0])), layers[0]["digest"]);
}

#[test]
fn an_image_of_programs_of_others_says_what_they_are_and_not_our_licence() {
    let tree = folder().join("tree");
    std::fs::create_dir_all(tree.join("usr/bin")).expect("a folder");
    let entry = program("server", X86_64, &[LOAD, INTERPRETER]);
    std::fs::copy(entry, tree.join("usr/bin/server")).expect("a program");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(tree.join("usr/bin/server"), mode).expect("a program");
    let tree = tree.to_string_lossy();
    let options = [
        "--image",
        "voiceassist/redis:7",
        "--tree",
        &tree,
        "--entry",
        "/usr/bin/server",
    ];
    let file = folder().join("tree.tar");
    let nameless = archive_of("amd64", &options, "022", &file);
    assert!(
        words(&nameless).contains("--version is missing"),
        "{}",
        words(&nameless)
    );
    let options = [&options[..], &["--version", "5:7.0.15-1~deb12u7"]].concat();
    let built = archive_of("amd64", &options, "022", &file);
    assert!(built.status.success(), "{}", words(&built));
    let unpacked = Unpacked::of(&file);
    let manifest = unpacked.blob_json(&unpacked.json("index.json")["manifests"][0]);
    let labels = unpacked.blob_json(&manifest["config"])["config"]["Labels"].clone();
    assert_eq!(labels["org.opencontainers.image.title"], "redis");
    assert_eq!(labels["org.opencontainers.image.version"], "5:7.0.15-1~deb12u7");
    assert_eq!(labels["org.opencontainers.image.licenses"], Value::Null);
    let listed = tar(&["-tzf"], &unpacked.blob(&manifest["layers"][0]));
    assert!(
        listed.contains("./usr/bin/server") && !listed.contains("LICENSE"),
        "{listed}"
    );
}

#[test]
fn the_same_input_makes_the_same_bytes_whoever_builds() {
    let program = program("reproducible", X86_64, &[LOAD]);
    let bytes = ["022", "077"].map(|umask| {
        let file = folder().join(format!("built-with-{umask}.tar"));
        let built = archive("amd64", &program, umask, &file);
        assert!(built.status.success(), "{}", words(&built));
        std::fs::read(file).expect("an archive")
    });
    assert!(bytes[0] == bytes[1], "the archives differ");
}

#[test]
fn a_program_that_could_not_run_in_an_empty_image_is_refused() {
    let output = folder().join("refused.tar");
    for (name, arch, machine, headers, why) in [
        (
            "dynamic",
            "amd64",
            X86_64,
            &[LOAD, INTERPRETER][..],
            "is not static",
        ),
        (
            "foreign",
            "amd64",
            AARCH64,
            &[LOAD],
            "is a program of another machine than amd64",
        ),
        (
            "unknown",
            "riscv64",
            X86_64,
            &[LOAD],
            "'riscv64' is neither amd64 nor arm64",
        ),
    ] {
        let refused = archive(arch, &program(name, machine, headers), "022", &output);
        assert_eq!(refused.status.code(), Some(2), "{name}");
        assert!(words(&refused).contains(why), "{name}: {}", words(&refused));
    }
    assert!(!output.exists(), "an archive was written all the same");
}

#[test]
fn the_containerfile_makes_the_same_image_and_pulls_nothing() {
    let text = std::fs::read_to_string(root().join("Containerfile")).expect("Containerfile");
    let steps: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        steps,
        [
            "FROM scratch",
            "ARG TARGETARCH=amd64",
            "COPY target/image/${TARGETARCH}/root/ /",
            "USER 65532:65532",
            "ENTRYPOINT [\"/vas\"]",
        ]
    );
}

/// Every file below a folder, with its text.
fn texts(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            texts(&path, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
}

#[test]
fn each_tag_of_the_image_is_the_version_in_cargo_toml() {
    let mut files = Vec::new();
    for folder in ["manifests", "docs", "charts"] {
        texts(&root().join(folder), &mut files);
    }
    let mut seen = 0;
    for (path, text) in files {
        for mark in ["voiceassist/vas:", "newTag: "] {
            for after in text.split(mark).skip(1) {
                let tag: String = after
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || ".-_".contains(*c))
                    .collect();
                assert_eq!(tag, env!("CARGO_PKG_VERSION"), "{}: {mark}{tag}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 3, "only {seen} tags were found");
}

#[test]
fn the_release_workflow_builds_both_machines_and_calls_what_is_here() {
    let file = root().join(".github/workflows/release.yaml");
    let text = std::fs::read_to_string(file).expect("the workflow is there");
    let workflow: Value = serde_saphyr::from_str(&text).expect("it is YAML");
    let build = &workflow["jobs"]["build"];
    let machines: Vec<_> = build["strategy"]["matrix"]["include"]
        .as_array()
        .expect("machines")
        .iter()
        .map(|machine| machine["arch"].as_str().expect("an architecture"))
        .collect();
    assert_eq!(machines, ["amd64", "arm64"]);
    let jobs = workflow["jobs"].as_object().expect("jobs");
    let mut targets = Vec::new();
    for (name, job) in jobs {
        assert_ne!(job["timeout-minutes"], Value::Null, "{name} could run for hours");
        for step in job["steps"].as_array().expect("steps") {
            if let Some(action) = step["uses"].as_str() {
                let (_, version) = action.split_once('@').expect("a version");
                assert!(version.starts_with('v'), "{action}");
            }
            let run = step["run"].as_str().unwrap_or_default();
            targets.extend(
                run.split("make ")
                    .skip(1)
                    .filter_map(|rest| rest.split_whitespace().next())
                    .map(str::to_owned),
            );
        }
    }
    assert!(targets.contains(&"image".to_owned()), "{targets:?}");
    let makefile = std::fs::read_to_string(root().join("Makefile")).expect("Makefile");
    for target in targets {
        assert!(makefile.contains(&format!("\n{target}:")), "make {target}");
    }
}
