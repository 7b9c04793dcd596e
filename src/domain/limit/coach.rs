//! Bounds of the practice coach and of the language model, each with its reason.

/// Seconds that a language model may take: below the time that one request has altogether.
pub const CHAT_SECONDS_MAX: u64 = 25;

/// Bytes of a language model's answer: a thousand times what it is asked for.
pub const CHAT_BYTES_MAX: u64 = 1 << 20;

/// A model's name: it is shown beside what it wrote.
pub const CHAT_MODEL_BYTES_MAX: usize = 128;

/// Requests to the language model at once: small ones answer one after the other anyway.
pub const CHAT_AT_ONCE_MAX: usize = 4;

/// Quotes of a model that are looked up.
pub const CHAT_QUOTES_MAX: usize = 8;

/// Of a CV, what a small model still reads: about three pages.
pub const CHAT_CV_CHARS_MAX: usize = 12_000;

/// Tokens that a model is asked to stay under: twice a long example.
pub const CHAT_TOKENS_MAX: u32 = 700;

/// Practices that the choice of the next question looks back on: what somebody did before them says
/// little about today.
pub const PRACTICES_REMEMBERED_MAX: usize = 4;

/// Answers of a practice that a text is compared with while it is typed: each is read again with
/// every frame, and a practice seldom has more.
pub const HINT_EARLIER_MAX: usize = 8;

/// Seconds that somebody may wait for another wording of a hint or a question: ours is there, and
/// whoever practises reads it meanwhile.
pub const REPHRASE_SECONDS_MAX: u64 = 5;

/// Code points of another wording: a quote, and two sentences about it.
pub const REPHRASED_CHARS_MAX: usize = 400;

/// Tokens that a model is asked to stay under for all hints of an answer: five of full length.
pub const REPHRASE_TOKENS_MAX: u32 = 600;

/// Of an answer, what a model is sent to put a hint into other words: some ten minutes of speech.
pub const REPHRASE_ANSWER_CHARS_MAX: usize = 12_000;

/// Failures one after the other until the language model is left alone: one may be chance, and each
/// costs somebody the time that it may take.
pub const CHAT_FAILURES_MAX: u32 = 3;

/// How long it is left alone then: a restart of a model takes about so long.
pub const CHAT_REST_SECONDS: u64 = 30;
