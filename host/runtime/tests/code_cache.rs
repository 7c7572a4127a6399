//! Compiled code that is kept: what is taken from the directory, and what is compiled anew because something about it is doubtful.

use std::fs;
use std::path::{Path, PathBuf};

use tradepost_hostile::CoreModule;
use tradepost_hostile::manifest_image::ManifestImage;
use tradepost_runtime::{CodeCache, Connector, Digest, Runtime};

/// A start of the host on this directory.
fn start(directory: &Path) -> Runtime {
    let cache = CodeCache::open(directory).expect("the directory can be used");
    Runtime::builder().concurrent_calls(2).code_cache(cache).build().expect("the runtime starts")
}

/// A small connector of this version.
fn component(version: &str) -> Vec<u8> {
    let manifest = ManifestImage { version: version.into(), ..ManifestImage::default() };
    CoreModule { manifest, ..CoreModule::default() }.component()
}

async fn load(runtime: &Runtime, component: &[u8]) -> Connector {
    runtime.load(component).await.expect("a healthy connector loads, whatever the cache holds")
}

/// The file of a component's code.
fn code_file(directory: &Path, component: &[u8]) -> PathBuf {
    let digest = Digest::of(component).to_string();
    let digits = digest.trim_start_matches("sha256:");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut found = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(digits));
    let file = found.next().expect("its code is kept");
    assert!(found.next().is_none());
    file
}

#[tokio::test]
async fn what_was_compiled_before_is_not_compiled_again() {
    let directory = tempfile::tempdir().unwrap();
    let (path, component) = (directory.path().join("compiled"), component("1.2.3"));
    let first = load(&start(&path), &component).await;
    assert!(!first.is_from_cache());
    let restarted = start(&path);
    let second = load(&restarted, &component).await;
    assert!(second.is_from_cache() && load(&restarted, &component).await.is_from_cache());
    assert_eq!((second.label(), second.digest()), ("hand-written 1.2.3", first.digest()));
    assert_eq!(second.inspection().exports, first.inspection().exports);
    let without = Runtime::builder().concurrent_calls(2).build().unwrap();
    assert!(!load(&without, &component).await.is_from_cache());
}

#[tokio::test]
async fn whatever_is_doubtful_is_compiled_anew_and_kept_again() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 8] = [
        ("a flipped bit in the tag", |file| file[3] ^= 1),
        ("a flipped bit at the code's begin", |file| file[32] ^= 1),
        ("a flipped bit in the code", |file| {
            let middle = file.len() / 2;
            file[middle] ^= 0x80;
        }),
        ("one byte less", |file| file.truncate(file.len() - 1)),
        ("a stump", |file| file.truncate(31)),
        ("nothing", Vec::clear),
        ("one byte more", |file| file.push(0)),
        ("garbage", |file| *file = b"\x7fELF and whatever else".to_vec()),
    ];
    let directory = tempfile::tempdir().unwrap();
    let (path, component) = (directory.path().join("compiled"), component("1.0.0"));
    let runtime = start(&path);
    load(&runtime, &component).await;
    let file = code_file(&path, &component);
    let sound = fs::read(&file).unwrap();
    for (name, damage) in damages {
        let mut damaged = sound.clone();
        damage(&mut damaged);
        fs::write(&file, damaged).unwrap();
        assert!(!load(&runtime, &component).await.is_from_cache(), "{name}");
        assert_eq!(fs::read(&file).unwrap().len(), sound.len(), "{name}: the file is whole again");
        assert!(load(&runtime, &component).await.is_from_cache(), "{name}");
    }
}

#[tokio::test]
async fn code_is_good_for_its_own_component_and_installation_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("compiled");
    let (one, two) = (component("1.0.0"), component("2.0.0"));
    let runtime = start(&path);
    for component in [&one, &two] {
        load(&runtime, component).await;
    }
    let (file_of_one, file_of_two) = (code_file(&path, &one), code_file(&path, &two));
    let exchanged = directory.path().join("exchanged");
    fs::rename(&file_of_one, &exchanged).unwrap();
    fs::rename(&file_of_two, &file_of_one).unwrap();
    fs::rename(&exchanged, &file_of_two).unwrap();
    for (component, label) in [(&one, "hand-written 1.0.0"), (&two, "hand-written 2.0.0")] {
        let loaded = load(&runtime, component).await;
        assert_eq!((loaded.label(), loaded.is_from_cache()), (label, false));
    }
    // Another installation's key: what is there was not made here.
    fs::remove_file(path.join("key")).unwrap();
    let reinstalled = start(&path);
    assert!(!load(&reinstalled, &one).await.is_from_cache());
    assert!(load(&reinstalled, &one).await.is_from_cache());
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_any_more_costs_nothing_but_time() {
    let directory = tempfile::tempdir().unwrap();
    let (path, component) = (directory.path().join("compiled"), component("1.0.0"));
    let runtime = start(&path);
    fs::remove_dir_all(&path).unwrap();
    for _ in 0..2 {
        assert!(!load(&runtime, &component).await.is_from_cache());
    }
    // It cannot be made either: the embedder is told, and may go on without.
    fs::write(&path, "in the way").unwrap();
    let refused = CodeCache::open(&path).unwrap_err().to_string();
    assert!(refused.contains("cannot be used") && refused.contains(&path.display().to_string()), "{refused}");
}

#[tokio::test]
async fn a_sweep_frees_the_code_of_what_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("compiled");
    let cache = CodeCache::open(&path).unwrap();
    let runtime = Runtime::builder().concurrent_calls(2).code_cache(cache.clone()).build().unwrap();
    let (old, new) = (component("1.0.0"), component("2.0.0"));
    for component in [&old, &new] {
        load(&runtime, component).await;
    }
    let size = fs::metadata(code_file(&path, &old)).unwrap().len();
    assert_eq!(cache.sweep(|digest| digest == Digest::of(&new)).unwrap(), size);
    assert!(load(&runtime, &new).await.is_from_cache());
    assert!(!load(&runtime, &old).await.is_from_cache());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_at_the_same_time_compile_once() {
    let directory = tempfile::tempdir().unwrap();
    let cache = CodeCache::open(directory.path().join("compiled")).unwrap();
    let runtime = Runtime::builder().concurrent_calls(2).compiles_at_once(1).code_cache(cache).build().unwrap();
    let component = component("1.0.0");
    let loads = futures_util::future::join_all((0..4).map(|_| load(&runtime, &component))).await;
    assert_eq!(loads.iter().filter(|connector| !connector.is_from_cache()).count(), 1);
}
