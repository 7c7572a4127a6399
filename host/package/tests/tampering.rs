//! Packages in wrong hands: whatever is changed, cut off, added or exchanged, the package is refused, or it is plainly another one.

use std::io::Write;

use tradepost_package::{Claim, Digest, EffectClaim, Package, PackageError, Parts, Rights, SecretKey};

fn parts(version: &str) -> Parts {
    Parts {
        claim: Claim {
            id: "corner-shop".into(),
            version: version.parse().unwrap(),
            contract: "0.1.0".parse().unwrap(),
            rights: Rights {
                hosts: ["https://{shop}.example".into()].into(),
                secrets: ["password".into()].into(),
                effects: [EffectClaim { operation: "shipments.ship".into(), effect: "repeatable".into() }].into(),
            },
        },
        component: [b"\0asm".as_slice(), version.as_bytes(), &[0; 2000]].concat().into(),
        manifest: r#"{"id": "corner-shop", "name": "Corner shop"}"#.into(),
        page: "# Corner shop\n".into(),
        report: Some(r#"{"passed": true}"#.into()),
    }
}

fn package(version: &str) -> Package {
    Package::build(parts(version)).unwrap()
}

fn signed(version: &str, key: &SecretKey) -> Package {
    let mut package = package(version);
    package.sign(key).unwrap();
    package
}

fn key() -> SecretKey {
    SecretKey::generate().unwrap()
}

/// The entries of a package, to be put together otherwise.
fn entries(package: &Package) -> Vec<(String, Vec<u8>)> {
    let bytes = package.to_bytes();
    let mut archive = tar::Archive::new(bytes.as_ref());
    let mut entries = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::copy(&mut entry, &mut content).unwrap();
        entries.push((entry.path().unwrap().display().to_string(), content));
    }
    entries
}

/// An archive as packages are written, of any entries.
fn archive(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn a_package_is_read_as_it_was_made_and_made_the_same_each_time() {
    let key = key();
    let made = signed("1.0.0", &key);
    let read = Package::read(made.to_bytes()).unwrap();
    assert_eq!(read.to_bytes(), made.to_bytes());
    assert_eq!(read.statement(), made.statement());
    assert_eq!(read.statement().claim(), parts("1.0.0").claim);
    assert_eq!(read.component(), parts("1.0.0").component);
    assert_eq!(read.statement().digest, Digest::of(&read.component()));
    assert_eq!(read.manifest()["name"], "Corner shop");
    assert_eq!(read.page(), "# Corner shop\n");
    assert_eq!(read.report().unwrap()["passed"], true);
    assert_eq!(read.signers(), [key.public()].into());
    assert_eq!(signed("1.0.0", &key).to_bytes(), made.to_bytes());
    assert_eq!(archive(&entries(&made)), made.to_bytes(), "the tests' own archiver writes the same");
}

#[test]
fn several_may_sign_and_one_signs_once() {
    let (anna, ben) = (key(), key());
    let mut package = package("1.0.0");
    assert!(package.is_unsigned());
    for (signer, expected) in [
        (&anna, vec![anna.public()]),
        (&ben, vec![anna.public(), ben.public()]),
        (&anna, vec![anna.public(), ben.public()]),
    ] {
        package.sign(signer).unwrap();
        let read = Package::read(package.to_bytes()).unwrap();
        assert_eq!(read.signers(), expected.into_iter().collect());
        assert_eq!(read.component(), package.component());
    }
    assert!(Package::read(package.to_bytes()).unwrap().report().is_some());
}

#[test]
fn the_order_of_signing_does_not_show() {
    let (anna, ben) = (key(), key());
    let (mut one, mut other) = (package("1.0.0"), package("1.0.0"));
    one.sign(&anna).and_then(|()| one.sign(&ben)).unwrap();
    other.sign(&ben).and_then(|()| other.sign(&anna)).unwrap();
    assert_eq!(one.digest(), other.digest());
}

#[test]
fn no_byte_of_a_signed_package_can_be_changed() {
    let bytes = signed("1.0.0", &key()).to_bytes();
    // Every place once, with another change each time the test runs; the seed tells which.
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for place in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[place] ^= random.u8(1..);
        let read = Package::read(changed);
        assert!(read.is_err(), "byte {place} of {}, seed {seed}", bytes.len());
    }
}

#[test]
fn a_package_that_was_cut_off_anywhere_is_refused() {
    let unreported = Package::build(Parts { report: None, ..parts("1.0.0") }).unwrap();
    for bytes in [signed("1.0.0", &key()).to_bytes(), unreported.to_bytes()] {
        for end in (0..bytes.len()).step_by(512).chain([1, 100, 511, 513, bytes.len() - 1]) {
            let error = Package::read(bytes.slice(..end)).unwrap_err();
            let is_told = matches!(error, PackageError::CutOff(_) | PackageError::NotAPackage(_));
            assert!(is_told, "{end} of {}: {error:?}", bytes.len());
        }
    }
}

#[test]
fn nothing_may_stand_behind_a_package() {
    let bytes = signed("1.0.0", &key()).to_bytes();
    let again = bytes.as_ref();
    for (appended, expected) in
        [(&[0; 1][..], "behind its end"), (&[0; 9216], "behind its end"), (again, "behind its end")]
    {
        let error = Package::read([&bytes, appended].concat()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    // A section that is added to the component: the archive is whole again, the digest is not.
    let mut entries = entries(&signed("1.0.0", &key()));
    entries[2].1.write_all(b"\0\x05\x04name").unwrap();
    let error = Package::read(archive(&entries)).unwrap_err();
    assert!(matches!(error, PackageError::OtherPart { part: "component.wasm", stated: Some(_), .. }), "{error:?}");
}

#[test]
fn a_package_without_its_signatures_is_an_unsigned_one() {
    let mut entries = entries(&signed("1.0.0", &key()));
    entries[1].1 = b"{}".to_vec();
    let stripped = Package::read(archive(&entries)).unwrap();
    assert!(stripped.is_unsigned());
    assert_eq!(stripped.to_bytes(), package("1.0.0").to_bytes());
    entries.remove(1);
    assert!(matches!(Package::read(archive(&entries)), Err(PackageError::UnexpectedEntry { .. })));
}

#[test]
fn signatures_statements_and_parts_of_another_package_do_not_fit() {
    let key = key();
    let (old, new) = (entries(&signed("1.0.0", &key)), entries(&signed("2.0.0", &key)));
    let exchanged = |moved: &[usize]| {
        let mut entries = old.clone();
        for index in moved {
            entries[*index] = new[*index].clone();
        }
        Package::read(archive(&entries)).unwrap_err()
    };
    assert_eq!(exchanged(&[1]), PackageError::BadSignature(key.public()));
    assert_eq!(exchanged(&[0]), PackageError::BadSignature(key.public()));
    assert!(matches!(exchanged(&[0, 1]), PackageError::OtherPart { part: "component.wasm", .. }));
    assert!(matches!(exchanged(&[2]), PackageError::OtherPart { part: "component.wasm", .. }));
    // An old component under a new statement with the old one's name is what a downgrade would need.
    let text = String::from_utf8(old[0].1.clone()).unwrap().replace("\"1.0.0\"", "\"2.0.0\"");
    let mut renamed = old.clone();
    renamed[0].1 = text.into_bytes();
    assert_eq!(Package::read(archive(&renamed)).unwrap_err(), PackageError::BadSignature(key.public()));
}

#[test]
fn a_statement_and_the_parts_there_are_name_each_other() {
    let whole = entries(&package("1.0.0"));
    let mut without = whole.clone();
    without.pop();
    assert_eq!(Package::read(archive(&without)).unwrap_err(), PackageError::Missing("conformance.json".into()));

    let unreported = Package::build(Parts { report: None, ..parts("1.0.0") }).unwrap();
    assert!(unreported.report().is_none());
    let mut added = entries(&unreported);
    added.push(whole[5].clone());
    let error = Package::read(archive(&added)).unwrap_err();
    assert!(matches!(error, PackageError::OtherPart { part: "conformance.json", stated: None, .. }), "{error:?}");

    // The digest of the component stands in two places of the statement; both have to hold.
    let mut split = entries(&unreported);
    let text = String::from_utf8(split[0].1.clone()).unwrap();
    let digest = format!("\"digest\":\"{}\"", unreported.statement().digest);
    split[0].1 = text.replace(&digest, &format!("\"digest\":\"{}\"", Digest::of(b"other"))).into_bytes();
    assert!(matches!(Package::read(archive(&split)).unwrap_err(), PackageError::Statement(_)));
}

#[test]
fn foreign_entries_are_refused_by_name() {
    let entries = entries(&signed("1.0.0", &key()));
    for name in ["../x", "/etc/cron.d/x", "component.wasm", "component.cwasm", "statement.json", "Page.md"] {
        for at in 1..=entries.len() {
            let mut entries = entries.clone();
            entries.insert(at, (name.to_owned(), b"x".to_vec()));
            // A second component after the first is found where the manifest belongs; one before it is not the stated one.
            let error = Package::read(archive(&entries)).unwrap_err();
            let is_named = match &error {
                PackageError::UnexpectedEntry { found, .. } => found == name || name == "component.wasm",
                PackageError::OtherPart { part, .. } => *part == name,
                _ => false,
            };
            assert!(is_named, "{name} at {at}: {error:?}");
        }
    }
}

#[test]
fn parts_that_are_not_of_their_kind_are_not_packed() {
    let component = Digest::of(&parts("1.0.0").component);
    let about = |digest: &str| Some(format!("{{\"digest\": \"{digest}\"}}"));
    assert!(Package::build(Parts { report: about(&component.to_string()), ..parts("1.0.0") }).is_ok());
    let other = Package::build(Parts { report: about("sha256:00"), ..parts("1.0.0") }).unwrap_err();
    assert_eq!(other, PackageError::OtherReport { about: "sha256:00".into(), component });
    for (parts, part) in [
        (Parts { report: Some("[]".into()), ..parts("1.0.0") }, "conformance.json"),
        (Parts { report: Some("passed".into()), ..parts("1.0.0") }, "conformance.json"),
        (Parts { manifest: String::new(), ..parts("1.0.0") }, "manifest.json"),
    ] {
        let refused = Package::build(parts).unwrap_err();
        assert!(matches!(refused, PackageError::Part { part: found, .. } if found == part), "{refused:?}");
    }
    let mut nameless = parts("1.0.0");
    nameless.claim.id = "../corner-shop".into();
    assert!(matches!(Package::build(nameless), Err(PackageError::Statement(_))));
}

#[test]
fn a_component_of_the_largest_size_is_packed_and_one_byte_more_is_not() {
    let of_size = |bytes: u64| {
        let component = vec![7; usize::try_from(bytes).unwrap()];
        Package::build(Parts { component: component.into(), ..parts("1.0.0") })
    };
    assert!(of_size(tradepost_package::MAX_COMPONENT_BYTES).is_ok());
    let refused = of_size(tradepost_package::MAX_COMPONENT_BYTES + 1);
    assert!(matches!(refused, Err(PackageError::TooLarge { .. })), "{refused:?}");
}

#[test]
fn what_is_no_package_at_all_is_told_apart() {
    for (bytes, expected) in [
        (&b""[..], "empty"),
        (b"\0asm\x0d\0\x01\0", "bare WebAssembly"),
        (b"\x1f\x8b\x08", "does not begin with statement.json"),
        (b"statement.json\0", "cut off within statement.json"),
    ] {
        let error = Package::read(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(Package::is_one(&package("1.0.0").to_bytes()) && !Package::is_one(b"\0asm"));
}
