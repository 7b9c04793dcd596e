//! Commands: every durable write, typed and versioned (law I1), with everything in it that applying
//! it needs (law I2): ids, the time, hashes and analyses are minted by the proposer.
//!
//! **Invariant:** the JSON of every command is a storage and a wire format. New variants and fields
//! may come, old ones keep their meaning: `tests/golden/commands.json` holds them.

mod envelope;
mod outcome;
mod terms;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::file::NewFile;
use super::id::{ClusterId, FeedbackId, FileId, InterviewId, PersonId, SessionId, ShareId};
use super::interview::{Member, Plan, Question};
use super::kit::Kit;
use super::person::{CandidateContext, Role, Session};
use super::privacy::{self, Subject};
use super::rate::Rule;
use super::room::Act;
use super::time::{Day, Time};

pub use envelope::{ENVELOPE_VERSION, Envelope};
pub use outcome::Outcome;
pub use terms::{Factor, KeyStep, NewPerson, Once, Outsider, Witnessed};

/// Every durable write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// The cluster's identity and secrets, once, by the node that was started on an empty
    /// directory.
    Found {
        /// Its id.
        cluster_id: ClusterId,
        /// The key that signs access tokens (PKCS #8, base64).
        signing_key: String,
        /// The key that links and cookies are derived from (base64).
        link_key: String,
    },
    /// Organisation and first admin, once.
    SetUp {
        /// The organisation's name.
        organisation: String,
        /// The admin.
        admin: Box<NewPerson>,
        /// The admin's first login.
        session: Session,
    },
    /// The cluster's certificate authority, once, and the node that made it.
    KeepAuthority {
        /// Its certificate (PEM).
        certificate: String,
        /// Its key (PEM).
        key: String,
        /// The node that made it.
        node: u64,
        /// SHA-256 of that node's public key, as hexadecimal digits.
        public_key: String,
    },
    /// A token that lets one machine in.
    InviteNode {
        /// Its id; the token is derived from it.
        token: Uuid,
        /// Until when it holds.
        expires_at: Time,
    },
    /// A machine shows a token and becomes a node; which one, the state says.
    AdmitNode {
        /// The token that it showed.
        token: Uuid,
        /// SHA-256 of its public key, as hexadecimal digits.
        public_key: String,
        /// Where other nodes reach it; empty until it runs.
        cluster: String,
        /// Where people reach it.
        http: String,
    },
    /// Where a node can be reached from now on.
    PlaceNode {
        /// Which.
        node: u64,
        /// Where other nodes reach it.
        cluster: String,
        /// Where people reach it.
        http: String,
    },
    /// A node is gone for good.
    RetireNode {
        /// Which.
        node: u64,
    },
    /// The state goes on in a new cluster, after a quorum was lost or a backup was restored.
    Refound {
        /// The new cluster.
        cluster_id: ClusterId,
        /// Why: `recover` or `restore`.
        reason: String,
        /// What was given up, in words, for the audit log.
        loss: String,
    },
    /// Somebody new.
    AddPerson {
        /// Who.
        person: Box<NewPerson>,
    },
    /// Some of an account's fields.
    ChangePerson {
        /// Who.
        person: PersonId,
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        display_name: Option<String>,
        /// The new role.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// Closed or open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        disabled: Option<bool>,
    },
    /// A new invite or reset link; older ones hold no longer.
    RenewInvite {
        /// Who.
        person: PersonId,
        /// Until when it holds.
        expires_at: Time,
    },
    /// Somebody follows an invite or reset link.
    AcceptInvite {
        /// Who.
        person: PersonId,
        /// Which link.
        generation: u32,
        /// The name, if changed.
        display_name: Option<String>,
        /// The new password's hash.
        password_hash: String,
        /// The first login.
        session: Session,
    },
    /// Somebody signs in.
    OpenSession {
        /// The login.
        session: Session,
    },
    /// A refresh token is used: the next one holds from now on.
    RefreshSession {
        /// Which login.
        session: SessionId,
        /// The count of the token that was shown.
        generation: u32,
        /// The new end.
        expires_at: Time,
    },
    /// Somebody signs out.
    CloseSession {
        /// Which login.
        session: SessionId,
    },
    /// What a candidate brings along.
    SetContext {
        /// Whose.
        person: PersonId,
        /// What.
        context: Box<CandidateContext>,
    },
    /// One part of a file; the first one begins an upload.
    KeepFilePart {
        /// Whose.
        person: PersonId,
        /// Of which file.
        file: FileId,
        /// Counted from 0.
        number: u32,
        /// The bytes (base64).
        content: String,
    },
    /// The parts that were kept are a file, and it is the person's CV from now on.
    KeepCv {
        /// Whose.
        person: PersonId,
        /// The file.
        file: Box<NewFile>,
        /// The text in it.
        text: String,
    },
    /// A kit of the organisation, new or the next version.
    PutKit {
        /// The kit; its version is counted by the state.
        kit: Box<Kit>,
    },
    /// A calibration of the organisation; it never changes afterwards.
    PutCalibration {
        /// The version's name.
        version: String,
        /// SHA-256 of its canonical form.
        sha256: String,
        /// The file.
        toml: String,
        /// What it made of the golden set, as JSON.
        golden: String,
    },
    /// Answers are weighed by this calibration from now on.
    ActivateCalibration {
        /// Which.
        version: String,
    },
    /// A new interview.
    CreateInterview {
        /// What never changes.
        plan: Box<Plan>,
        /// Who is in it.
        members: Vec<Member>,
        /// What is asked.
        questions: Vec<Question>,
    },
    /// An act in a room.
    Act {
        /// Which room.
        interview: InterviewId,
        /// What.
        act: Box<Act>,
    },
    /// A share link.
    Share {
        /// Its id.
        share: ShareId,
        /// The interview whose report it shows.
        interview: InterviewId,
        /// SHA-256 of the token, as hexadecimal digits.
        token_hash: String,
        /// Until when it holds.
        expires_at: Time,
    },
    /// A share link ends.
    Unshare {
        /// Which.
        share: ShareId,
        /// Of which interview.
        interview: InterviewId,
    },
    /// Whether a report felt right.
    GiveFeedback {
        /// Its id.
        feedback: FeedbackId,
        /// On which interview.
        interview: InterviewId,
        /// The judgement.
        accurate: bool,
        /// In words.
        note: Option<String>,
    },
    /// The rate policies of the cluster; those that are not named are as before an admin set any.
    SetRateLimits {
        /// Each pair of class and tier once.
        rules: Vec<Rule>,
    },
    /// Somebody comes with a token of an outside issuer, for the first time or with a new role.
    Welcome {
        /// What the issuer says.
        outsider: Box<Outsider>,
        /// Who that becomes if nobody is known by that name.
        person: Box<NewPerson>,
    },
    /// Somebody says whether their words in an interview may be kept.
    Consent {
        /// Which interview.
        interview: InterviewId,
        /// Who.
        person: PersonId,
        /// Yes or no.
        given: bool,
        /// The exact sentence that was shown.
        text: String,
        /// Its SHA-256, as hexadecimal digits.
        sha256: String,
    },
    /// For how long things are kept; a kind that is not named stays for ever.
    SetRetention {
        /// Each kind once.
        rules: Vec<privacy::Rule>,
    },
    /// Something must stay, whoever wants it gone.
    Hold {
        /// The hold's id.
        hold: Uuid,
        /// What.
        subject: Subject,
        /// Why, in words.
        reason: String,
    },
    /// It need not stay any longer.
    Release {
        /// Which hold.
        hold: Uuid,
    },
    /// Everything of somebody goes, for good.
    Erase {
        /// Who.
        person: PersonId,
        /// The receipt's id.
        receipt: Uuid,
    },
    /// What has been kept for long enough goes.
    Expire {
        /// The receipt's id.
        receipt: Uuid,
        /// Interviews that are over.
        interviews: Vec<InterviewId>,
        /// People whose CV and job description go.
        contexts: Vec<PersonId>,
    },
    /// A new password; every other login ends.
    ChangePassword {
        /// Whose.
        person: PersonId,
        /// Its hash.
        password_hash: String,
        /// The login that goes on.
        keep: Option<SessionId>,
    },
    /// Somebody begins to set up a second factor.
    BeginTotp {
        /// Who.
        person: PersonId,
        /// The secret (base32).
        secret: String,
    },
    /// Their device has shown that it knows the secret.
    ConfirmTotp {
        /// Who.
        person: PersonId,
        /// The step of the code that was shown.
        step: u64,
        /// SHA-256 of each recovery code.
        recovery: Vec<String>,
    },
    /// The second factor is needed no longer.
    DropTotp {
        /// Whose.
        person: PersonId,
    },
    /// Somebody signs in with password and second factor.
    OpenSessionWith {
        /// The login.
        session: Session,
        /// What was shown.
        factor: Factor,
    },
    /// Somebody has taken something away that leaves no other trace.
    Witness {
        /// What was done.
        what: Witnessed,
        /// About whom or what.
        subject: String,
    },
    /// A program gets a token: a login that nobody signed in for.
    OpenToken {
        /// The login.
        session: Session,
        /// What it is for.
        name: String,
        /// Whether it may only read.
        read_only: bool,
    },
    /// Access tokens are signed by another key from now on.
    RotateKey {
        /// The new key (PKCS #8, base64).
        signing_key: String,
        /// The public half of the one before (base64), by which it is recognised.
        former: String,
        /// Until when its tokens are taken.
        until: Time,
    },
    /// The key that signs access tokens after the present one.
    NextKey {
        /// What becomes of it.
        step: KeyStep,
    },
    /// On which day some tokens of programs were used.
    NoteUses {
        /// The day.
        day: Day,
        /// Their logins.
        tokens: Vec<SessionId>,
    },
    /// The state goes to a higher schema level; every node can run it.
    RaiseLevel {
        /// Which.
        to: u32,
    },
    /// The state goes back to a lower schema level, and what it has no place for is gone.
    LowerLevel {
        /// Which.
        to: u32,
    },
}
