//! The header of a backup: a file that somebody kept for years is still read.

use greenroom::domain::time::Time;
use greenroom::store::backup::{AuditHead, Manifest, Payload, SchemaStep, header, manifest};

use super::{id, same_as_golden};

#[test]
fn the_header_of_a_backup_is_kept_for_ever() {
    let written = Manifest {
        greenroom: "0.1.0".to_owned(),
        created_at: Time(1_795_000_000_120),
        newest_at: Time(1_795_000_000_000),
        cluster_id: Some(id(9)),
        organisation: Some("Lighthouse".to_owned()),
        log_id: Some("017b7d".to_owned()),
        schema: vec![SchemaStep { name: "0001_spine".to_owned(), sha256: "0f".repeat(32) }],
        rows: [("audit".to_owned(), 2), ("person".to_owned(), 1)].into(),
        audit: AuditHead { rows: 2, hash: "1e".repeat(32) },
        payload: Payload { bytes: 4_096, sha256: "2d".repeat(32) },
    };
    let text = String::from_utf8(header(&written).unwrap()).unwrap();
    same_as_golden("backup-header.txt", &text);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/backup-header.txt");
    assert_eq!(manifest(path.as_ref()).unwrap(), written);
    // A later release may say more; what this one knows keeps its meaning.
    let blank = Manifest { organisation: None, cluster_id: None, log_id: None, ..written };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("blank.backup");
    std::fs::write(&file, header(&blank).unwrap()).unwrap();
    assert_eq!(manifest(&file).unwrap(), blank);
}
