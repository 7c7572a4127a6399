//! A connector is reviewed by reading it, so it stays short, and what the host does is not done in it a second time.

use std::fs;
use std::path::{Path, PathBuf};

/// Each connector, and the most lines of code that it may have: blank lines, comments and tests apart.
const LIMITS: [(&str, usize); 5] =
    [("hardtofind", 1_000), ("hft71", 1_000), ("omniseller", 1_000), ("wcfm", 2_500), ("help-ka", 150)];

/// What a connector leaves to the host: waiting, its own connections, the credential's place in a request.
const NOT_ITS_OWN: [&str; 8] =
    ["sleep", "std::thread", "std::net", "std::time", "std::fs", "std::env", "Bearer {", "Basic {"];

fn sources(connector: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors").join(connector).join("src");
    let mut pending = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// The lines of code of a file. Modules of tests stand at the end of a file.
fn code(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn connectors_are_short_enough_to_be_read() {
    for (connector, limit) in LIMITS {
        let lines: usize = sources(connector).iter().map(|file| code(file).len()).sum();
        assert!(lines > 0, "{connector} has no code where it was looked for");
        assert!(lines < limit, "{connector} has {lines} lines of code; it is to stay under {limit}");
    }
}

#[test]
fn connectors_leave_to_the_host_what_is_the_host_s() {
    for (connector, _) in LIMITS {
        for file in sources(connector) {
            for line in code(&file) {
                let found = NOT_ITS_OWN.iter().find(|word| line.contains(*word));
                assert!(found.is_none(), "{}: {line}", file.display());
            }
        }
    }
}
