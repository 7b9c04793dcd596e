//! Every bound of the product in one place, each with its reason (law I6).
//!
//! Units stand last in the names. Sizes of text count bytes of UTF-8.

pub mod door;
mod nodes;

pub use nodes::*;
mod coach;
mod keys;
mod request;

pub use coach::*;
pub use keys::*;
pub use request::*;

/// One JSON body. Far above any form of ours (a CV and a job description at their limits are 300
/// KiB), far below what would slow everybody's writes: the replaced system took 20 MB here and
/// stalled.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// One frame of a room, in either direction as the contract says it in `welcome.limits`.
pub const FRAME_BYTES_MAX: usize = 65_536;

/// Frames a second of one socket; a fast typist's partials and answers stay under 10.
/// What an admin sets instead stays below a thousand times that: enough to measure with.
pub const FRAMES_PER_SECOND: u32 = 50;

/// See [`FRAMES_PER_SECOND`].
pub const FRAMES_PER_SECOND_MAX: u64 = 50_000;

/// Seconds' worth of frames that may come at once after a pause, so that a resend after a reconnect
/// passes.
pub const BURST_SECONDS: u32 = 2;

/// Frames a second of one person in one room, over all sockets, as a multiple of one socket's: some
/// tabs and devices, not thirty-two at full speed.
pub const PERSON_RATE_FACTOR: u32 = 8;

/// Seconds of twice the allowed rate after which a socket is closed with 4429.
pub const FLOOD_SECONDS: u64 = 5;

/// Members of one room: the largest panel anybody described is 12, so this is a bound, not a
/// target.
pub const MEMBERS_MAX: usize = 500;

/// Sockets of one person in one room: tabs and devices of one human.
pub const SOCKETS_PER_PERSON_MAX: usize = 32;

/// Sockets of one node; the task and buffers of one idle socket take about 14 KiB.
pub const SOCKETS_MAX: usize = 20_000;

/// How long a socket may stay silent before its `hello`, so that half-open ones do not pile up.
pub const HELLO_SECONDS: u64 = 5;

/// The words about a frame that cannot be read: it may quote the frame, which is up to 64 KiB.
pub const REFUSAL_CHARS_MAX: usize = 400;

/// Bad frames within [`BAD_FRAMES_SECONDS`] that close a socket.
pub const BAD_FRAMES_MAX: usize = 3;

/// The window of [`BAD_FRAMES_MAX`].
pub const BAD_FRAMES_SECONDS: u64 = 60;

/// A ticket's life: a page asks for it and uses it at once.
pub const TICKET_SECONDS: u64 = 30;

/// Tickets alive at once on a node: 30 s of a thousand sockets a second.
pub const TICKETS_MAX: usize = 30_000;

/// Events that wait for one slow reader; after them it is fed from the store at its own pace.
pub const OUTBOX_FRAMES_MAX: usize = 256;

/// Bytes of those events: a slow reader costs this much memory and not more.
pub const OUTBOX_BYTES_MAX: usize = 256 << 10;

/// Answers to a reader's own frames that may wait beyond that, so that an `ack` finds room while
/// the store feeds it.
pub const OUTBOX_ANSWERS_MAX: usize = 256;

/// Frames that wait for a reader that is behind: more than one write takes with it. From there on a
/// newer ephemeral frame takes the place of an older one.
pub const OUTBOX_BEHIND_FRAMES: usize = 64;

/// Ephemeral frames that wait for one slow reader: what a room of people says, and some signalling.
pub const OUTBOX_EPHEMERAL_MAX: usize = 192;

/// Bytes of those: two texts of the longest kind.
pub const OUTBOX_EPHEMERAL_BYTES_MAX: usize = 128 << 10;

/// Inputs that wait for one room's loop. Senders wait beyond it, which slows only the room's own
/// sockets.
pub const MAILBOX_INPUTS_MAX: usize = 1_024;

/// How long a socket may take nothing before it is closed as dead.
pub const WRITE_STALL_SECONDS: u64 = 20;

/// How long a closed socket waits for the other side's close.
pub const CLOSE_SECONDS: u64 = 2;

/// Between two protocol pings; proxies cut idle connections after 30 s and more.
pub const PING_SECONDS: u64 = 20;

/// Without any frame or pong for so long a socket counts as gone: two pings and some.
pub const SILENCE_SECONDS: u64 = 45;

/// A room without sockets leaves memory after so long; the store brings it back.
pub const ROOM_IDLE_SECONDS: u64 = 60;

/// After how long an interview may count as forgotten at the latest: a year, or it never would.
pub const LAPSE_SECONDS_MAX: u64 = 366 * 24 * 60 * 60;

/// Events sent from memory on resume; older ones come from the store.
pub const RING_EVENTS: usize = 512;

/// Bytes of those events: an answer with its analysis is some 20 KiB, and there may be many rooms.
pub const RING_BYTES_MAX: usize = 1 << 20;

/// Durable acts of one room that wait for their turn.
pub const ACTS_WAITING_MAX: usize = 256;

/// How long a finished room waits for its report before it says goodbye; the contract allows 10 s.
pub const GOODBYE_SECONDS: u64 = 8;

/// Events of one page from the store, on resume and over HTTP if the caller does not say.
pub const EVENTS_PAGE: usize = 200;

/// Events of one page over HTTP at most; of the long ones, answers, a room has 200.
pub const EVENTS_PAGE_MAX: usize = 1_000;

/// Durable events of one interview. Eight hours of talk make about 5,000.
pub const EVENTS_PER_INTERVIEW_MAX: u64 = 20_000;

/// Text of one interview that its interviewers' figures are made from. Eight hours of talk are
/// half of it; more would hold up other readers for the sake of nobody's interview.
pub const INTERVIEWER_BYTES_MAX: usize = 1024 * 1024;

/// Questions of one interview; the longest structured guide seen has 40.
pub const QUESTIONS_PER_INTERVIEW_MAX: usize = 200;

/// Questions given when an interview is made.
pub const QUESTIONS_AT_START_MAX: usize = 50;

/// One question.
pub const QUESTION_BYTES_MAX: usize = 2_000;

/// One answer or spoken stretch: half of a frame, about 5,000 words, 40 minutes of speech. The
/// other half is room for word timings.
pub const ANSWER_BYTES_MAX: usize = 32_768;

/// Word timings of one answer: as many as its bytes could hold words.
pub const WORDS_MAX: usize = 8_192;

/// One note of an interviewer.
pub const NOTE_BYTES_MAX: usize = 8_192;

/// A client-chosen frame id, in characters.
pub const CLIENT_ID_CHARS_MAX: usize = 64;

/// A CV as text: the longest academic ones reach 60 KiB.
pub const CV_BYTES_MAX: usize = 200_000;

/// A CV as a file. Those with pictures reach 2 MB; it goes through the log to every node.
pub const CV_FILE_BYTES_MAX: usize = 5 << 20;

/// What a form adds to the file in it: boundaries, names, a few small fields.
pub const FORM_BYTES_MAX: usize = 64 << 10;

/// One part of a file in the log: a few milliseconds of the disk, so that nobody else's write waits
/// long behind it.
pub const FILE_PART_BYTES: usize = 128 << 10;

/// Uploads at once on one node: each is in memory as a whole.
pub const UPLOADS_MAX: usize = 32;

/// After so long an upload that was not finished is given up; a request ends after half a minute.
pub const UPLOAD_FORGOTTEN_MS: i64 = 60 * 60 * 1_000;

/// A job description as text.
pub const JOB_DESCRIPTION_BYTES_MAX: usize = 100_000;

/// A name of a person, organisation, role, title or mode.
pub const NAME_BYTES_MAX: usize = 200;

/// RFC 5321 allows 254 characters in a mail address.
pub const EMAIL_BYTES_MAX: usize = 254;

/// The floor of NIST SP 800-63B for a password that somebody chooses; the page asks for a sentence.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Argon2 hashes its input first, so this only bounds the request.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Password hashes at once: each takes 19 MiB and a core for tens of milliseconds.
pub const PASSWORD_HASHES_MAX: usize = 2;

/// Requests that wait for a password hash before one is turned away.
pub const PASSWORD_WAITERS_MAX: usize = 64;

/// People of an organisation.
pub const PEOPLE_MAX: usize = 100_000;

/// An access token's life.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;

/// A login's longest life without use of its refresh token that an admin can set: a year.
pub const LOGIN_SECONDS_MAX: u64 = 366 * 24 * 60 * 60;

/// An invite link's life.
pub const INVITE_SECONDS: i64 = 7 * 24 * 60 * 60;

/// A share link's shortest life; below it nobody could open it.
pub const SHARE_SECONDS_MIN: i64 = 60;

/// A share link's default life, as in the replaced system.
pub const SHARE_SECONDS: i64 = 24 * 60 * 60;

/// A share link's longest life: a hiring round.
pub const SHARE_SECONDS_MAX: i64 = 90 * 24 * 60 * 60;

/// Share links of one interview that are neither revoked nor expired.
pub const SHARES_PER_INTERVIEW_MAX: usize = 50;

/// A note with feedback.
pub const FEEDBACK_BYTES_MAX: usize = 2_000;

/// Items of one page of a list.
pub const PAGE_ITEMS_MAX: usize = 200;

/// Items of a page if the caller does not say.
pub const PAGE_ITEMS: usize = 50;

/// Kits that an organisation adds.
pub const KITS_MAX: usize = 1_000;

/// Competencies of one kit.
pub const KIT_COMPETENCIES_MAX: usize = 12;

/// Earlier answers of a person that the consistency check reads: the last months of steady
/// practice.
pub const EARLIER_ANSWERS_MAX: usize = 40;

/// Proposals that wait for the log. Beyond it callers are told to try again instead of queueing for
/// minutes.
pub const PROPOSALS_MAX: usize = 4_096;

/// How long one proposal may take before its outcome is called unknown.
pub const PROPOSAL_SECONDS: u64 = 10;

/// Log entries since the last snapshot that start the next one, however small they are: some ten
/// seconds of applying, if the state has to be made again.
pub const SNAPSHOT_ENTRIES: u64 = 200_000;

/// Bytes of log since the last snapshot that start the next one, unless half of the state is more:
/// then copying it costs at most two bytes for each byte written.
pub const SNAPSHOT_BYTES: u64 = 64 << 20;

/// Room on the disk below which nothing more is accepted: what is under way, both write-ahead logs
/// and the pages of a checkpoint still fit in, and the node need not stop half way.
pub const DISK_FREE_BYTES_MIN: u64 = 64 << 20;

/// Pause between two tellings of who is here: four a second follow any eye.
pub const PRESENCE_MS: u64 = 250;

/// How long somebody whose connection broke is shown as away before as gone: a change of leader and
/// a page that tries some times fit in.
pub const AWAY_SECONDS: u64 = 10;

/// Log entries kept behind a snapshot for a node that is only a little behind.
pub const LOG_TAIL_ENTRIES: u64 = 500;

/// Connections for reading the state: readers beyond the cores only wait on each other.
pub const READERS: usize = 4;

/// How long a stopping node waits for its requests and sockets.
pub const DRAIN_SECONDS: u64 = 8;

/// Nodes of one cluster. Five survive two failures; each further one makes every write slower.
pub const NODES_MAX: usize = 7;

/// A join token's life: long enough to walk to the other machine.
pub const JOIN_TOKEN_SECONDS: i64 = 60 * 60;

/// Join tokens that nobody has used yet.
pub const JOIN_TOKENS_MAX: usize = 16;

/// Bytes of entries that one call to another node carries, unless a single one is larger: some tens
/// of milliseconds on a slow line, so that a call stays well under its time-out.
pub const APPEND_BYTES: usize = 4 << 20;

/// The largest entry of the log: a body at its limit, with its escapes, an analysis and the frame
/// around it.
pub const ENTRY_BYTES_MAX: usize = 16 << 20;

/// Connections from other nodes at once: a few for each, and some that are being cut off.
pub const PEER_CONNECTIONS_MAX: usize = 256;

/// How long a leader asks its followers whether it still leads, before a read is refused.
pub const LINEARIZE_SECONDS: u64 = 3;

/// Entries that a learner may lack when it is made a voter: a second's worth, so that writes do not
/// wait for it.
pub const LEARNER_LAG_ENTRIES: u64 = 500;

/// The shortest time without a leader before a follower stands for election; the longest is twice
/// that. Ten times the p99 of a healthy disk's fsync and of a local network's round trip; with
/// pre-vote a stall costs a question and no change of leader.
pub const ELECTION_MS: u64 = 150;

/// Days for which the copy of the state from before an upgrade is kept: whoever has not gone back
/// by then will not, and people's data must not lie there for ever.
pub const LEVEL_COPY_DAYS: u64 = 30;

/// The manifest of a backup: some tables and migrations, each some hundred bytes.
pub const BACKUP_MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// How long a request for a backup may take: 100 GB at 60 MB a second.
pub const BACKUP_SECONDS: u64 = 30 * 60;

/// How long one piece of a backup may take to be sent before its reader counts as gone.
pub const BACKUP_STALL_SECONDS: u64 = 60;

/// Free space that a backup needs, as a multiple of the state: the copy and the file, then the file
/// and what is restored to check it.
pub const BACKUP_SPACE_FACTOR: u64 = 2;

/// Scheduled backups that failed their check and are kept to be looked at.
pub const BACKUPS_UNVERIFIED_MAX: usize = 3;

/// Scheduled backups of one list: more than the widest policy keeps.
pub const BACKUPS_LISTED_MAX: usize = 1_000;

/// Verified backups that a policy may keep by their number: a day of hourly ones for each day of a
/// month would be 744.
pub const BACKUPS_LAST_MAX: u64 = 750;

/// Verified backups that a policy may keep by their week: four years.
pub const BACKUPS_WEEKLY_MAX: u64 = 208;

/// Between two scheduled backups at most: a quarter.
pub const BACKUP_HOURS_MAX: u64 = 92 * 24;

/// After a scheduled backup that failed, how long before the next try: soon enough to have one on
/// the same day, not so soon that the log is full of it.
pub const BACKUP_RETRY_MS: i64 = 60 * 60 * 1_000;

/// Calibrations that an organisation keeps: more versions than anybody will ever compare, and less
/// than 20 MB with their snapshots.
pub const CALIBRATIONS_MAX: usize = 200;

/// Days for which a retention rule keeps something at most: thirty years, the longest that
/// employment law anywhere asks for, and short enough to count in milliseconds.
pub const RETENTION_DAYS_MAX: u32 = 11_000;

/// Legal holds at once: each is a case that somebody looks after.
pub const HOLDS_MAX: usize = 1_000;

/// Answers about consent of one person in one interview: whoever changes their mind more often is a
/// program.
pub const CONSENTS_MAX: usize = 50;

/// Interviews and contexts that one command of retention removes: an answer has some ten rows, so
/// the next write waits for a few thousand deleted rows at most.
pub const EXPIRED_PER_COMMAND_MAX: usize = 20;

/// Between two looks for what retention says goes.
pub const RETENTION_LOOK_SECONDS: u64 = 60 * 60;

/// How long a new backup waits for files to be cleaned after an erasure.
pub const SCRUB_WAIT_SECONDS: u64 = 45;

/// Bytes of one person's export on the disk while it is put together: all the answers of a thousand
/// practices, and a CV.
pub const EXPORT_BYTES_MAX: u64 = 512 << 20;

/// The sentence that candidates agree to: half a page is more than anybody reads.
pub const CONSENT_TEXT_BYTES_MAX: usize = 2_000;

/// Why something is held: a sentence with a file number.
pub const HOLD_REASON_BYTES_MAX: usize = 1_000;

/// Rows of the audit log in one answer: an export of a million takes a thousand requests.
pub const AUDIT_PAGE_ITEMS_MAX: usize = 1_000;
