//! What the engine costs: `cargo bench --bench insight`.
//!
//! One thread. The control splits the same text into words and adds up their hashes, which any
//! engine has to do at least; ratios are to it. Figures are printed and never judged here.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::time::Instant;

use greenroom::insight::{AnswerInput, Engine};

/// Sentences that differ in their figures, so that none is a repetition.
fn text(words: usize, seed: usize) -> String {
    const PARTS: [&str; 6] = [
        "In week {n} our returns desk lost {m} parcels, and nobody knew where the labels went.",
        "I mapped each of the {n} steps with the night shift and removed the second scan.",
        "We considered a sorting machine for {m} euros, but it would have cost more than the loss.",
        "Because the drivers came at {n}, I moved the count to the evening and told the branches.",
        "As a result missing parcels fell from {n} percent to {m} percent within six weeks.",
        "I learned to ask the {m} people who do the work before I change it.",
    ];
    let mut text = String::new();
    let mut n = seed;
    while text.split_whitespace().count() < words {
        let part = PARTS[n % PARTS.len()];
        text += &part.replace("{n}", &(n + 7).to_string()).replace("{m}", &(n * 3 + 2).to_string());
        text.push(' ');
        n += 1;
    }
    text.split_whitespace().take(words).collect::<Vec<_>>().join(" ")
}

fn input(text: String, earlier: usize) -> AnswerInput {
    AnswerInput {
        question: Some("Tell me about a process that you improved.".to_owned()),
        answer: text,
        earlier: (earlier > 0).then(|| (0..earlier).map(|n| self::text(150, n * 31)).collect()),
        ..AnswerInput::default()
    }
}

fn control(text: &str) -> u64 {
    let hash = |word: &str| {
        let mut hasher = DefaultHasher::new();
        word.to_lowercase().hash(&mut hasher);
        hasher.finish()
    };
    text.split_whitespace().map(hash).fold(0, u64::wrapping_add)
}

/// Microseconds of each run, sorted.
fn time(runs: usize, mut work: impl FnMut(usize)) -> Vec<f64> {
    let mut times: Vec<f64> = (0..runs)
        .map(|n| {
            let began = Instant::now();
            work(n);
            began.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

fn at(times: &[f64], percent: usize) -> f64 {
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

/// Resident memory in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn main() {
    let engine = Engine::built_in();
    println!("{:34} {:>9} {:>9} {:>9}", "one thread, µs", "p50", "p99", "control");
    let row = |name: &str, times: Vec<f64>, control: Vec<f64>| {
        let ratio = at(&times, 50) / at(&control, 50).max(0.001);
        println!("{name:34} {:9.1} {:9.1} {ratio:8.1}x", at(&times, 50), at(&times, 99));
    };
    for words in [20, 155, 200, 2_000] {
        let runs = 400_000 / words.max(200);
        let inputs: Vec<AnswerInput> = (0..64).map(|n| input(text(words, n), 0)).collect();
        let times = time(runs, |n| {
            black_box(engine.analyse(&inputs[n % 64]));
        });
        let least = time(runs, |n| {
            black_box(control(&inputs[n % 64].answer));
        });
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        row(&format!("answer of {words} words"), times, least);
        println!("{:34} {:9.0} answers a second", "", 1e6 / mean);
    }
    let partial = input(text(300, 1), 0);
    let times = time(2_000, |_| {
        black_box(engine.meters(&partial));
    });
    let least = time(2_000, |_| {
        black_box(control(&partial.answer));
    });
    row("meters of a 300-word partial", times, least);
    let long = input(text(155, 9), 40);
    let least = || {
        time(500, |_| {
            black_box(control(&long.answer));
        })
    };
    let first = time(20, |_| {
        black_box(Engine::built_in().analyse(&long));
    });
    let times = time(500, |_| {
        black_box(engine.analyse(&long));
    });
    row("155 words, 40 earlier answers", times, least());
    row("the same and a new engine", first, least());

    let (mut before, rounds) = (0, 100_000);
    for n in 0..rounds {
        black_box(engine.analyse(&input(text(60, n), 1)));
        if n == rounds / 10 {
            before = resident();
        }
    }
    println!(
        "{rounds} different answers: resident {before} KiB after a tenth, {} KiB at the end",
        resident()
    );
}
