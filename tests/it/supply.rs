//! What the binary says of itself: the list of everything that it was built from, as programs that
//! look for known faults in binaries read it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::text;

/// Of the sections of a binary the one with this name (ELF, 64 bits, little-endian).
fn section<'a>(elf: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    let number = |at: usize, bytes: usize| {
        let raw = elf[at..at + bytes].iter().rev();
        raw.fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    assert_eq!(&elf[..6], b"\x7fELF\x02\x01");
    let (table, row, rows, names) =
        (number(0x28, 8), number(0x3a, 2), number(0x3c, 2), number(0x3e, 2));
    let names = number(table + names * row + 0x18, 8);
    (0..rows).map(|n| table + n * row).find_map(|head| {
        let name = &elf[names + number(head, 4)..];
        let name = name.split(|byte| *byte == 0).next()?;
        let (start, bytes) = (number(head + 0x18, 8), number(head + 0x20, 8));
        (name == wanted.as_bytes()).then(|| &elf[start..start + bytes])
    })
}

fn dependencies() -> Value {
    let elf = std::fs::read(env!("CARGO_BIN_EXE_greenroom")).unwrap();
    let packed = section(&elf, ".dep-v0").expect("the binary carries its list");
    let json = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(packed, 1 << 20).unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn the_binary_names_everything_that_it_was_built_from() {
    let told = dependencies();
    assert_eq!(told["format"], 1);
    let packages = told["packages"].as_array().unwrap();
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let locked: toml::Table = lock.parse().unwrap();
    let locked: Vec<(String, String)> = locked["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| ["name", "version"].map(|key| row[key].as_str().unwrap().to_owned()).into())
        .collect();
    let mut kinds = BTreeMap::new();
    for package in packages {
        let own = (text(&package["name"]), text(&package["version"]));
        assert!(locked.contains(&own), "{own:?} is in the lock file");
        let is_root = own.0 == "greenroom";
        assert_eq!(package["root"] == true, is_root, "{own:?}");
        assert_eq!(package["source"], if is_root { "local" } else { "crates.io" });
        for place in package["dependencies"].as_array().into_iter().flatten() {
            assert!((place.as_u64().unwrap() as usize) < packages.len(), "{package}");
        }
        let kind = package["kind"].as_str().unwrap_or("runtime");
        assert!(matches!(kind, "runtime" | "build"), "{package}");
        kinds.insert(own.0, kind.to_owned());
    }
    // What every binary of ours has, what only building needs, what only tests need.
    for (name, wanted) in [
        ("greenroom", Some("runtime")),
        ("openraft", Some("runtime")),
        ("libsqlite3-sys", Some("runtime")),
        ("aws-lc-sys", Some("runtime")),
        ("serde_derive", Some("build")),
        ("cc", Some("build")),
        ("proptest", None),
        ("openraft-rt-sim", None),
    ] {
        assert_eq!(kinds.get(name).map(String::as_str), wanted, "{name}");
    }
    assert!(!told.to_string().contains('/'), "nothing of the machine that built it: {told}");
}
