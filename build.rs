//! Builds the web app before the binary embeds it, when its sources have changed.
//!
//! A stamp with the sources' hash lies among the installed packages, so an unchanged app costs
//! nothing and this script never writes a file that it watches. `GREENROOM_UI=skip` embeds a page
//! that says so, for work on the server alone.
//!
//! It also writes the list of what the binary is built from into the binary (`dependency_list`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    dependency_list();
    let web = PathBuf::from("assets/web");
    let dist = web.join("dist");
    println!("cargo::rerun-if-env-changed=GREENROOM_UI");
    let sources = sources(&web);
    for path in sources.keys() {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rerun-if-changed={}", web.join("src").display());
    if std::env::var("GREENROOM_UI").as_deref() == Ok("skip") {
        if !dist.join("index.html").exists() {
            write_stub(&dist);
        }
        return;
    }
    let stamp = web.join("node_modules").join(".greenroom-stamp");
    let hash = hash(&sources);
    let built = dist.join("index.html").exists();
    if built && fs::read_to_string(&stamp).is_ok_and(|stored| stored == hash) {
        return;
    }
    match build(&web) {
        Ok(()) => fs::write(&stamp, hash).expect("the stamp of the web app can be written"),
        Err(why) if built => {
            println!("cargo::warning=the web app is older than its sources: {why}");
        }
        Err(why) => panic!(
            "the web app cannot be built: {why}\n\
             Install Node 20 or newer, or set GREENROOM_UI=skip to build the server alone."
        ),
    }
}

/// Every file that the app is made from, with its content.
fn sources(web: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![web.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if name == "node_modules" || name == "dist" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(content) = fs::read(&path) {
                found.insert(path, content);
            }
        }
    }
    found
}

fn hash(sources: &BTreeMap<PathBuf, Vec<u8>>) -> String {
    let mut hasher = DefaultHasher::new();
    sources.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn build(web: &Path) -> Result<(), String> {
    npm(web, &["ci", "--no-audit", "--no-fund"])?;
    npm(web, &["run", "build"])
}

fn npm(web: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(web)
        .output()
        .map_err(|error| format!("npm does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(20).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    Err(format!("npm {} failed:\n{}", arguments.join(" "), last.join("\n")))
}

fn write_stub(dist: &Path) {
    let page = "<!doctype html><html lang=\"en\"><title>Greenroom</title>\
                <h1>Built without the web app</h1><p>The API answers under /api/docs.</p></html>";
    fs::create_dir_all(dist).expect("the folder of the web app can be made");
    fs::write(dist.join("index.html"), page).expect("the page can be written");
}

/// One package of the list, by `cargo tree`'s `name vVERSION` with what follows it.
#[derive(Default)]
struct Package {
    /// Whether it runs at build time only, whoever wants it.
    proc_macro: bool,
    /// What it wants to run, and what it wants at all.
    runtime: BTreeSet<String>,
    all: BTreeSet<String>,
}

/// Writes names and versions of everything that the binary is built from into it: the section
/// `.dep-v0` with zlib-packed JSON, which programs like `cargo audit bin` read. So it can be said
/// of a binary years later whether a fault that became known is in it.
///
/// `cargo auditable build` would write the same, but only where somebody remembered to use it.
fn dependency_list() {
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-changed=build.rs");
    let target = variable("TARGET");
    // The section is one of ELF; elsewhere Greenroom is built for trying it out only.
    if variable("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for edges in ["normal", "normal,build"] {
        let root = read_tree(&tree(&target, edges), edges == "normal", &mut packages);
        assert_eq!(root, "greenroom", "the list begins with this package");
    }
    let json = list(&packages);
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(json.as_bytes(), 9);
    let bytes: Vec<String> = packed.iter().map(u8::to_string).collect();
    let source = format!(
        "__attribute__((used, section(\".dep-v0\")))\n\
         const unsigned char greenroom_dependencies[] = {{{}}};\n",
        bytes.join(",")
    );
    let path = PathBuf::from(variable("OUT_DIR")).join("dependencies.c");
    fs::write(&path, source).expect("the list of dependencies can be written");
    let objects = cc::Build::new().cargo_metadata(false).file(&path).compile_intermediates();
    for object in objects {
        println!("cargo::rustc-link-arg-bins={}", object.display());
    }
    // Nothing refers to it, and a linker drops what nothing refers to.
    println!("cargo::rustc-link-arg-bins=-Wl,--undefined=greenroom_dependencies");
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

/// What Cargo has resolved, each line with its depth.
fn tree(target: &str, edges: &str) -> String {
    let output = Command::new(variable("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "depth", "--format", "|{p}"])
        .args(["--target", target, "--edges", edges])
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree for the list of dependencies: {said}");
    String::from_utf8(output.stdout).expect("names are UTF-8")
}

/// Adds what a tree says; gives the name of its root.
fn read_tree(tree: &str, runtime: bool, packages: &mut BTreeMap<String, Package>) -> String {
    let mut above: Vec<String> = Vec::new();
    for line in tree.lines() {
        let Some((depth, named)) = line.split_once('|') else { continue };
        let depth: usize = depth.parse().expect("a depth before each package");
        let id: Vec<&str> = named.split(' ').take(2).collect();
        let id = id.join(" ");
        packages.entry(id.clone()).or_default().proc_macro |= named.contains("(proc-macro)");
        above.truncate(depth);
        if let Some(wants) = above.last() {
            let wants = packages.entry(wants.clone()).or_default();
            wants.all.insert(id.clone());
            if runtime {
                wants.runtime.insert(id.clone());
            }
        }
        above.push(id);
    }
    let root = above.first().expect("the tree has a root");
    root.split(' ').next().unwrap_or_default().to_owned()
}

/// The JSON of `.dep-v0`, format 1: as format 0, and macros count as wanted for building.
fn list(packages: &BTreeMap<String, Package>) -> String {
    let is_root = |id: &str| id.starts_with("greenroom v");
    let mut runs: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&str> =
        packages.keys().map(String::as_str).filter(|id| is_root(id)).collect();
    while let Some(id) = waiting.pop() {
        if !packages[id].proc_macro && runs.insert(id) {
            waiting.extend(packages[id].runtime.iter().map(String::as_str));
        }
    }
    let place: BTreeMap<&str, usize> = packages.keys().map(String::as_str).zip(0..).collect();
    let rows: Vec<String> = packages
        .iter()
        .map(|(id, package)| {
            let (name, version) = id.split_once(" v").expect("a name and a version");
            let source = if is_root(id) { "local" } else { "crates.io" };
            let wants: Vec<String> =
                package.all.iter().map(|id| place[id.as_str()].to_string()).collect();
            let mut row =
                format!("{{\"name\":\"{name}\",\"version\":\"{version}\",\"source\":\"{source}\"");
            if !runs.contains(id.as_str()) {
                row.push_str(",\"kind\":\"build\"");
            }
            if !wants.is_empty() {
                row.push_str(&format!(",\"dependencies\":[{}]", wants.join(",")));
            }
            if is_root(id) {
                row.push_str(",\"root\":true");
            }
            row + "}"
        })
        .collect();
    format!("{{\"packages\":[{}],\"format\":1}}", rows.join(","))
}
