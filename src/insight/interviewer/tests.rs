//! Questions of all kinds, with near misses: work talk that shares words with a protected matter.

use super::*;

fn asked(text: &str) -> InterviewerFigures {
    figures(&[Turn { interviewer: true, text }], &[])
}

#[test]
fn talk_share_counts_words_of_both_sides() {
    let turns = [
        Turn { interviewer: true, text: "How did it end?" },
        Turn {
            interviewer: false,
            text: "It ended well in March, after twelve long weeks indeed.",
        },
        Turn { interviewer: true, text: "Thank you so much." },
    ];
    assert_eq!(figures(&turns, &[]).talk_share, Some(Milli(8 * 100_000 / 18)));
    assert_eq!(figures(&[], &[]), InterviewerFigures::default());
}

#[test]
fn questions_are_open_closed_or_leading() {
    for (text, form) in [
        ("What did you change first?", Some(Form::Open)),
        ("So how did the ward react?", Some(Form::Open)),
        ("Why did you leave the rota alone?", Some(Form::Open)),
        ("Tell me about a project that failed.", Some(Form::Open)),
        ("Could you describe the handover?", Some(Form::Open)),
        ("When the line stood still, what did you do?", Some(Form::Open)),
        ("Did you write the tests yourself?", Some(Form::Closed)),
        ("Have you used SQLite?", Some(Form::Closed)),
        ("How many people were on the team?", Some(Form::Closed)),
        ("How long did it take?", Some(Form::Closed)),
        ("You wrote the tests first, didn't you?", Some(Form::Leading)),
        ("Wouldn't you agree that tests come first?", Some(Form::Leading)),
        ("So you would roll it back, right?", Some(Form::Leading)),
        ("What we build here is a ledger.", None),
        ("We are a team of nine.", None),
    ] {
        let figures = asked(text);
        assert_eq!(figures.asked.first().map(|asked| asked.form), form, "{text}");
        assert_eq!(figures.open + figures.closed + figures.leading, figures.asked.len());
    }
}

#[test]
fn the_kit_is_followed_where_its_content_was_asked() {
    let kit = [
        "Tell me about a time when you resolved a conflict between two departments.",
        "How would you plan the migration of a warehouse system?",
    ];
    let turns = [Turn {
        interviewer: true,
        text: "Let us begin. When did you resolve a conflict between departments?",
    }];
    let adherence = figures(&turns, &kit).adherence.expect("there is a kit");
    assert_eq!((adherence.asked, adherence.missed), (vec![0], vec![1]));
    assert_eq!(adherence.share, Milli::whole(50));
}

#[test]
fn protected_matters_are_found_with_the_words_that_touch_them() {
    for (text, rule) in [
        ("May I ask, how old are you?", "age"),
        ("When do you plan to retire?", "age"),
        ("Are you married, by the way?", "family"),
        ("Do you have kids at home?", "family"),
        ("And do you plan to have children in the next years?", "pregnancy"),
        ("Are you pregnant?", "pregnancy"),
        ("Do you go to church on Sundays?", "religion"),
        ("And where are you originally from?", "origin"),
        ("Is English your first language?", "origin"),
        ("How many sick days did you take last year?", "health"),
        ("Do you have a disability that we should know of?", "disability"),
        ("Are you in a trade union?", "union"),
        ("Who did you vote for?", "politics"),
        ("Are you gay?", "orientation"),
        ("Have you ever been arrested?", "criminal_record"),
        ("Do you have debts?", "money"),
    ] {
        let found = asked(text).unlawful;
        assert_eq!(found, concerns(text), "before it is asked as afterwards");
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].evidence.rule, format!("interviewer.unlawful.{rule}"), "{text}");
        assert!(!found[0].why.is_empty() && !found[0].instead.is_empty());
        let span = found[0].evidence.from as usize..found[0].evidence.to as usize;
        assert!(span.start < span.end && span.end <= text.chars().count(), "{text}");
    }
}

#[test]
fn questions_about_work_are_left_alone() {
    for text in [
        "How old is the code base that you worked on?",
        "Which age groups did your customers belong to?",
        "Do you have a family of products in mind?",
        "How did you divide parent and child processes?",
        "Are you allowed to work in this country?",
        "Which languages do you speak at work level?",
        "Can you lift twenty kilograms, with an adjustment where you need one?",
        "How did you negotiate with the union at the plant?",
        "How was the vote on the two designs prepared in the team?",
        "Did the health service adopt your record format?",
        "How do you handle an arrested process?",
        "We do not ask whether you are married.",
        "By law we never ask do you have children.",
        "What religion data did the census schema hold?",
        "Did you run the party that celebrated the release?",
        "What happened to the release after that?",
        "What happened to your first design?",
        "When will you retire the old server?",
        "Was the library too old for the new compiler?",
        "Are you expecting a reply from them?",
        "Have you ever been charged with leading a team?",
    ] {
        assert_eq!(asked(text).unlawful, [], "{text}");
        assert_eq!(concerns(text), [], "{text}");
    }
}

#[test]
fn a_catalogue_of_questions_stays_bounded() {
    let text = "How old are you? ".repeat(QUESTIONS_MAX + 50);
    let figures = asked(&text);
    assert_eq!(figures.asked.len(), QUESTIONS_MAX);
    assert_eq!(figures.unlawful.len(), QUESTIONS_MAX);
    assert_eq!(concerns(&text).len(), QUESTIONS_MAX);
}
