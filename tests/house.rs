//! The house rules: what reviewers would otherwise have to remember, checked against the code.
//!
//! Each rule is a function from text to violations. Here it meets the repository; in its own file
//! it meets snippets that break it, so that no rule can quietly accept everything.

#[path = "house/code.rs"]
mod code;
#[path = "house/names.rs"]
mod names;
#[path = "house/tree.rs"]
mod tree;

#[path = "house/crates.rs"]
mod crates;
#[path = "house/imports.rs"]
mod imports;
#[path = "house/kits.rs"]
mod kits;
#[path = "house/migrations.rs"]
mod migrations;
#[path = "house/places.rs"]
mod places;
#[path = "house/purity.rs"]
mod purity;
#[path = "house/shape.rs"]
mod shape;
#[path = "house/supply.rs"]
mod supply;
#[path = "house/web.rs"]
mod web;

use tree::{Violation, sources};

fn demand(found: Vec<Violation>) {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} found:\n{}\n", lines.len(), lines.join("\n"));
}

fn each(rule: fn(&code::Code) -> Vec<Violation>) {
    demand(sources().iter().flat_map(rule).collect());
}

#[test]
fn folders_import_only_from_folders_above_them() {
    each(imports::check);
}

#[test]
fn every_foreign_crate_stays_in_its_folders() {
    each(crates::check);
}

#[test]
fn every_dependency_has_a_place() {
    demand(crates::check_manifest(&tree::read("Cargo.toml")));
}

#[test]
fn dependencies_are_what_we_may_pass_on() {
    let rules = supply::rules(&tree::read(supply::RULES));
    let crates = supply::built(&rules);
    assert!(crates.len() > 100, "cargo names what is built: {}", crates.len());
    demand(supply::check(&rules, &crates));
    demand(supply::check_lock(&rules, &tree::read("Cargo.lock")));
    demand(supply::check_wildcards(&tree::read("Cargo.toml")));
}

#[test]
fn pure_folders_touch_nothing_outside() {
    each(purity::check);
}

#[test]
fn every_file_says_what_it_is_for() {
    each(shape::check_doc);
}

#[test]
fn lines_fit_on_a_screen() {
    each(shape::check_columns);
}

#[test]
fn functions_fit_on_a_screen() {
    each(shape::check_functions);
}

#[test]
fn files_stay_small() {
    each(shape::check_size);
}

#[test]
fn the_product_does_not_stop_on_a_whim() {
    each(shape::check_panics);
}

#[test]
fn nothing_is_left_unfinished() {
    each(shape::check_leftovers);
}

#[test]
fn every_thing_lives_with_its_noun() {
    demand(places::check_names(&tree::files("src")));
}

#[test]
fn the_top_of_the_repository_holds_what_the_design_lists() {
    let ignored = tree::read_if_there(".gitignore").unwrap_or_default();
    demand(places::check_top(&tree::entries("."), &ignored));
}

#[test]
fn deep_folders_explain_their_choices() {
    demand(places::check_designs(&tree::files("src")));
}

#[test]
fn the_built_page_asks_nobody_outside() {
    for path in tree::files("assets/web/dist") {
        if web::is_text(&path) {
            demand(web::check(&path, &tree::read(&path)));
        }
    }
}

#[test]
fn released_migrations_never_change() {
    let files = tree::files("migrations");
    let present: Vec<(String, String)> = files
        .iter()
        .filter(|path| path.ends_with(".sql"))
        .map(|path| (path.clone(), migrations::sum(&tree::read(path))))
        .collect();
    assert!(!present.is_empty(), "there is a migration at least");
    if std::env::var_os("BLESS").is_some() {
        tree::write(migrations::LIST, &migrations::list(&present));
    }
    let listed = tree::read_if_there(migrations::LIST).unwrap_or_default();
    demand(migrations::check(&listed, &present));
}

#[test]
fn every_kit_has_what_the_domain_needs() {
    let files = tree::files("assets/kits");
    assert!(files.len() >= 8, "the built-in kits cover eight roles at least");
    let found = files.iter().flat_map(|path| kits::check(path, &tree::read(path)));
    demand(found.collect());
}
