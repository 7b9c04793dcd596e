//! Rule: every built-in question kit has the keys that the domain reads, and no others.

use toml::{Table, Value};

use super::tree::Violation;

/// The keys of a kit, of a competency and of a question; those with `?` may be left out.
const KIT: &[&str] =
    &["id", "version", "title", "role", "description", "competencies", "questions"];
const COMPETENCY: &[&str] = &["id", "name", "about", "anchors"];
const QUESTION: &[&str] = &["id", "text", "competency", "looks_for?", "focus?"];

const LEVELS: usize = 5;
const QUESTIONS_MIN: usize = 6;

/// Everything that is wrong with one kit.
pub(crate) fn check(path: &str, text: &str) -> Vec<Violation> {
    let mut wrong = Vec::new();
    match text.parse::<Table>() {
        Ok(kit) => check_kit(path, &kit, &mut wrong),
        Err(error) => wrong.push(format!("is no TOML: {error}")),
    }
    wrong.into_iter().map(|text| Violation::new(path, 0, text)).collect()
}

fn check_kit(path: &str, kit: &Table, wrong: &mut Vec<String>) {
    keys("the kit", kit, KIT, wrong);
    let name = path.rsplit('/').next().and_then(|name| name.strip_suffix(".toml"));
    if kit.get("id").and_then(Value::as_str) != name {
        wrong.push("its `id` is to be the name of the file".to_owned());
    }
    if kit.get("version").and_then(Value::as_integer).is_none_or(|version| version < 1) {
        wrong.push("its `version` is to be a whole number from 1".to_owned());
    }
    let competencies = tables(kit, "competencies");
    for (n, competency) in competencies.iter().enumerate() {
        keys(&format!("competencies[{n}]"), competency, COMPETENCY, wrong);
        let anchors = competency.get("anchors").and_then(Value::as_array);
        if anchors.map(Vec::len) != Some(LEVELS) {
            wrong.push(format!("competencies[{n}] is to have {LEVELS} anchors"));
        }
    }
    let ids: Vec<_> = competencies.iter().map(|one| one.get("id")).collect();
    let questions = tables(kit, "questions");
    if questions.len() < QUESTIONS_MIN {
        wrong.push(format!("it has {} questions; {QUESTIONS_MIN} make a kit", questions.len()));
    }
    for (n, question) in questions.iter().enumerate() {
        keys(&format!("questions[{n}]"), question, QUESTION, wrong);
        if !ids.contains(&question.get("competency")) {
            wrong.push(format!("questions[{n}] names a competency that the kit does not have"));
        }
    }
}

fn keys(of: &str, table: &Table, known: &[&str], wrong: &mut Vec<String>) {
    for key in known.iter().filter(|key| !key.ends_with('?')) {
        let empty = |value: &Value| match value {
            Value::String(text) => text.trim().is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if table.get(*key).is_none_or(empty) {
            wrong.push(format!("{of} lacks `{key}`"));
        }
    }
    let names: Vec<&str> = known.iter().map(|key| key.trim_end_matches('?')).collect();
    for key in table.keys().filter(|key| !names.contains(&key.as_str())) {
        wrong.push(format!("{of} has `{key}`, which nobody reads; is it misspelt?"));
    }
}

fn tables<'a>(kit: &'a Table, key: &str) -> Vec<&'a Table> {
    let items = kit.get(key).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_table).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kit() -> String {
        let head = "id = \"baker\"\nversion = 1\ntitle = \"Baker\"\nrole = \"Baker\"\n\
            description = \"Bakes.\"\n[[competencies]]\nid = \"oven\"\nname = \"Oven\"\n\
            about = \"Heat.\"\nanchors = [\"a\", \"b\", \"c\", \"d\", \"e\"]\n";
        let question =
            |n| format!("[[questions]]\nid = \"q{n}\"\ntext = \"What?\"\ncompetency = \"oven\"\n");
        (0..6).fold(head.to_owned(), |kit, n| kit + &question(n))
    }

    #[test]
    fn a_kit_that_breaks_a_rule_is_seen() {
        assert_eq!(check("assets/kits/baker.toml", &kit()).len(), 0);
        assert_eq!(check("assets/kits/cook.toml", &kit()).len(), 1);
        for (from, to) in [
            ("version = 1", "version = \"1\""),
            ("title = \"Baker\"", "title = \" \""),
            ("title = \"Baker\"", "titel = \"Baker\"\ntitle = \"Baker\""),
            (", \"e\"]", "]"),
            ("id = \"q1\"\n", ""),
            ("id = \"q1\"\n", "id = \"q1\"\nlook_for = []\n"),
            ("version = 1", "version = "),
        ] {
            let broken = kit().replacen(from, to, 1);
            assert_eq!(check("assets/kits/baker.toml", &broken).len(), 1, "{to}");
        }
        let broken = kit().replacen("competency = \"oven\"", "competency = \"salt\"", 1);
        assert_eq!(check("assets/kits/baker.toml", &broken).len(), 1);
        let short = kit().rsplit_once("[[questions]]").map(|(kept, _)| kept.to_owned());
        assert_eq!(check("assets/kits/baker.toml", &short.unwrap()).len(), 1);
    }
}
