//! Builds the web app before the binary embeds it, when its sources have changed.
//!
//! A stamp with the sources' hash lies among the installed packages, so an unchanged app costs
//! nothing and this script never writes a file that it watches. `GREENROOM_UI=skip` embeds a page
//! that says so, for work on the server alone.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
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
