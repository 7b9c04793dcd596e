//! Bounds at the door: rates, attempts, proxies, identities of others.

/// Connections that one address may be given: no more than a node has in all.
pub const CONNECTIONS_PER_ADDRESS_MAX: u64 = 40_000;

/// Names in a certificate of ours: an installation has a few, and each handshake carries them all.
pub const TLS_NAMES_MAX: usize = 32;

/// A certificate chain or a key: the longest chains have five certificates of some 2 KiB.
pub const TLS_FILE_BYTES_MAX: u64 = 256 << 10;

/// How long browsers may be told to remember https: two years, as preload lists ask for.
pub const HSTS_SECONDS_MAX: u64 = 63_072_000;

/// Between two looks whether a certificate's files have changed; renewals are days apart.
pub const TLS_LOOK_SECONDS: u64 = 60;

/// The longest window of a rate policy: a year. Whoever needs a longer one wants a quota, which has
/// to outlast a restart.
pub const RATE_WINDOW_SECONDS_MAX: u32 = 366 * 24 * 60 * 60;

/// Callers of one kind (people; addresses; attempts) whose requests are counted at once on a node,
/// about 6 MiB each. Of more than that those are forgotten that were not seen for longest, so that
/// nobody grows a node's memory by having many addresses.
pub const RATE_KEYS_MAX: usize = 65_536;

/// Wrong passwords for one account from one address in [`ATTEMPTS_SECONDS`]. No count goes over
/// all addresses: with one, anybody could keep somebody else out.
pub const LOGIN_ATTEMPTS_MAX: u32 = 100;

/// Wrong passwords from one address for whatever accounts: an office has many people behind one.
pub const LOGIN_ATTEMPTS_OF_ADDRESS_MAX: u32 = 1_000;

/// Share links from one address that open nothing, in [`ATTEMPTS_SECONDS`].
pub const SHARE_ATTEMPTS_MAX: u32 = 100;

/// The window in which attempts count.
pub const ATTEMPTS_SECONDS: u32 = 10 * 60;

/// Between two looks of a node at the policies that an admin has set.
pub const RATE_LOOK_MS: u64 = 1_000;

/// Proxies in a row that may speak for each other in one `X-Forwarded-For`.
pub const PROXY_HOPS_MAX: usize = 16;

/// A token of an outside issuer: some put every group of a person into it.
pub const OUTSIDE_TOKEN_BYTES_MAX: usize = 16 * 1_024;

/// A name that an outside issuer has for somebody (OpenID Connect Core, section 2).
pub const SUBJECT_BYTES_MAX: usize = 255;

/// Keys of one issuer: the present ones, and those before and after a change.
pub const ISSUER_KEYS_MAX: usize = 32;

/// A JWK set, a provider's description, an answer of its token endpoint.
pub const OUTSIDE_ANSWER_BYTES_MAX: usize = 256 * 1_024;

/// How long an outside server may take for an answer; somebody waits for it.
pub const OUTSIDE_ANSWER_SECONDS: u64 = 10;

/// How long keys hold without being looked at again: a key that was withdrawn ends in this time.
pub const ISSUER_KEYS_SECONDS: u64 = 10 * 60;

/// Looks for new keys in [`ISSUER_LOOKS_SECONDS`], for the sake of keys that nobody knows: whoever
/// makes up their names must not make us ask for each.
pub const ISSUER_LOOKS_MAX: u32 = 6;

/// See [`ISSUER_LOOKS_MAX`].
pub const ISSUER_LOOKS_SECONDS: u64 = 60;

/// After a look that failed nobody looks again for so long.
pub const ISSUER_RETRY_MS: u64 = 2_000;

/// From the button to the way back, with a password and a second factor in between.
pub const OIDC_MINUTES: u32 = 15;

/// Tokens of programs that one account may have: a few programs, each with the next token while the
/// former one still holds.
pub const TOKENS_PER_PERSON_MAX: usize = 20;

/// The longest life of a program's token: whoever forgets one is reminded within a year.
pub const TOKEN_SECONDS_MAX: i64 = 366 * 24 * 60 * 60;

/// A program's token, if nobody says for how long: a quarter.
pub const TOKEN_SECONDS: i64 = 90 * 24 * 60 * 60;

/// Days after which access tokens are signed by another key.
pub const SIGNING_KEY_DAYS: i64 = 90;

/// Days for which the next key is told before it signs: programs elsewhere keep a key set for hours
/// or a day, and a week outlasts a long weekend.
pub const SIGNING_KEY_NOTICE_DAYS: i64 = 7;

/// Between two looks at the age of the key.
pub const SIGNING_KEY_LOOK_SECONDS: u64 = 60 * 60;

/// Tokens of programs whose use waits to be noted; each takes some 50 bytes here and in the log. Of
/// more than that in one [`TOKEN_USES_SECONDS`] the others are noted when they are used again.
pub const TOKEN_USES_MAX: usize = 1_024;

/// Between two notes of which tokens were used, however many requests come.
pub const TOKEN_USES_SECONDS: u64 = 60;

/// Rows of the audit log about sign-ins that failed, in an hour: enough to see what goes on, and
/// too few to bury the others. Whatever comes after them in that hour is in the metric only.
pub const FAILURE_ROWS_MAX: usize = 1_000;
