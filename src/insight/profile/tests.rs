//! CVs and job descriptions in parts.

use super::*;

const CV: &str = "Linh Pham\nlinh@example.org\n\nExperience\n\
    Senior Nurse, St Mary Hospital, Mar 2019 – present\n\
    Ran the evening rota of 14 people.\nStaff nurse at Northgate Clinic (2014-2019)\n\
    Care assistant\nGreen Meadow Home\n06/2011 – 02/2014\n\n\
    Skills: wound care, triage, Excel (6 years), German\n";

fn profile(text: &str) -> Profile {
    Engine::built_in().profile(text)
}

#[test]
fn stages_have_their_title_their_employer_and_their_dates() {
    let profile = profile(CV);
    let stage = |stage: &Stage| {
        let text = |named: &Option<Named>| named.as_ref().map(|named| named.text.clone());
        let ended = stage.ended.clone().unwrap_or_default();
        [text(&stage.role), text(&stage.employer), Some(stage.begun.clone()), Some(ended)]
            .map(Option::unwrap_or_default)
    };
    let told: Vec<[String; 4]> = profile.stages.iter().map(stage).collect();
    assert_eq!(
        told,
        [
            ["Senior Nurse", "St Mary Hospital", "2019-03", ""],
            ["Staff nurse", "Northgate Clinic", "2014", "2019"],
            ["Care assistant", "Green Meadow Home", "2011-06", "2014-02"],
        ]
    );
    assert!(profile.goes_on);
    let chars: Vec<char> = CV.chars().collect();
    for named in profile.stages.iter().flat_map(|stage| stage.role.iter().chain(&stage.employer)) {
        let words: String = chars[named.from as usize..named.to as usize].iter().collect();
        assert_eq!(words, named.text);
    }
}

#[test]
fn skills_have_their_years_where_they_are_said() {
    let profile = profile(CV);
    let told: Vec<(&str, Option<i64>)> = profile
        .skills
        .iter()
        .map(|skill| (skill.name.as_str(), skill.years.map(|y| y.0 / 1000)))
        .collect();
    assert_eq!(
        told,
        [("Wound care", None), ("Triage", None), ("Excel", Some(6)), ("German", None)]
    );
}

#[test]
fn years_count_overlaps_once() {
    let two = profile("Driver, Acme, 2010-2014\nTrainer, Bell, 2012-2016\n");
    assert_eq!((two.years, two.goes_on), (Some(Milli::whole(6)), false));
    assert_eq!(profile("No dates here.").years, None);
}

#[test]
fn a_sentence_with_dates_is_no_stage() {
    assert!(profile("I was ill from 2014 to 2016 and read a lot.").stages.is_empty());
}

#[test]
fn a_job_description_says_what_it_asks_for_and_how_much() {
    let job = Engine::built_in().job(
        "Backend engineer\n\nAbout us\nWe make maps.\n\nRequirements:\n\
         - 5 years of Rust or Go\n- PostgreSQL and Kafka\n\nNice to have:\n- Kubernetes\n\n\
         We offer:\n- A bicycle and Python courses\n",
    );
    assert_eq!(job.title.as_deref(), Some("Backend engineer"));
    assert_eq!(job.years, Some(Milli::whole(5)));
    let told: Vec<(Vec<String>, Weight)> =
        job.requirements.iter().map(|one| (one.skills.clone(), one.weight)).collect();
    let names = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        told,
        [
            (names(&["Rust", "Go"]), Weight::Must),
            (names(&["PostgreSQL", "Kafka"]), Weight::Must),
            (names(&["Kubernetes"]), Weight::Nice),
        ]
    );
}

#[test]
fn a_job_description_in_sentences_is_read_too() {
    let text = "We are looking for a nurse with two years of experience in intensive care. You \
        must have a driving licence. Knowledge of German is an advantage. Our house has a garden.";
    let job = Engine::built_in().job(text);
    let told: Vec<(Option<i64>, Weight)> =
        job.requirements.iter().map(|one| (one.years.map(|y| y.0 / 1000), one.weight)).collect();
    assert_eq!(told, [(Some(2), Weight::Must), (None, Weight::Must), (None, Weight::Nice)]);
    assert_eq!(job.requirements[0].skills, ["Intensive care"]);
}

#[test]
fn what_is_said_not_to_be_required_is_useful_at_most() {
    let text = "Requirements:\n- Knowledge of SQL\n- Useful, but not required: experience with \
        Redis\n- A degree is not essential\n";
    let job = Engine::built_in().job(text);
    let told: Vec<Weight> = job.requirements.iter().map(|one| one.weight).collect();
    assert_eq!(told, [Weight::Must, Weight::Nice, Weight::Nice]);
}

#[test]
fn any_text_can_be_read() {
    let engine = Engine::built_in();
    for text in ["", "\n\n", "–", "2019 –", "😀 2019–2020", "at at at 2019-2020 at", "C++", ","]
    {
        engine.profile(text);
        engine.job(text);
    }
    engine.profile(&"2019-2020 ".repeat(5_000));
}
