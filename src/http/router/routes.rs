//! The routes on one page, each with the permission that it needs.

use crate::domain::limit;
use crate::domain::may::Permission::{ManageKits, ManagePeople, Operate, Person, Public};

use super::super::{
    account, acts, audit, backups, calibrations, chat, cluster, coach, cv, factors, health,
    interviewer, interviews, kits, limits, me, oidc, openapi, people, privacy, progress, reports,
    setup, shares, signing, socket, stats, tokens, upgrade,
};
use super::{Route, delete, get, patch, post, put};

/// The routes.
pub(in crate::http) fn table() -> Vec<Route> {
    let mut table = public();
    table.extend(account_routes());
    table.extend(interview_routes());
    table.extend(operator_routes());
    table.extend(privacy_routes());
    table.extend(calibration_routes());
    table.extend(upgrade_routes());
    table
}

fn public() -> Vec<Route> {
    vec![
        get("/livez", Public, health::livez, "Whether the process runs").early().here(),
        get("/readyz", Public, health::readyz, "Whether the node can serve").early().here(),
        get("/metrics", Public, health::metrics, "Prometheus text, for admins or loopback")
            .early()
            .here(),
        get("/.well-known/jwks.json", Public, health::jwks, "The node's public keys")
            .early()
            .here(),
        get("/api/openapi.json", Public, openapi::show, "This document").early().here(),
        get("/api/docs", Public, openapi::viewer, "This document for people").early().here(),
        get("/api/docs/viewer.js", Public, openapi::viewer_js, "The viewer's script")
            .early()
            .here(),
        get("/api/docs/viewer.css", Public, openapi::viewer_css, "The viewer's style")
            .early()
            .here(),
        get("/api/v1/setup", Public, setup::show, "Whether setup is needed").early(),
        post("/api/v1/setup", Public, setup::create, "Organisation and first admin")
            .early()
            .takes("SetupBody"),
        post("/api/v1/auth/login", Public, account::login, "Sign in")
            .takes("LoginBody")
            .unkeyed("signing in proves itself each time"),
        post("/api/v1/auth/refresh", Public, account::refresh, "The next tokens")
            .takes("RefreshBody"),
        post("/api/v1/auth/logout", Public, account::logout, "End a login").takes("LogoutBody"),
        post("/api/v1/auth/invite", Public, account::invite, "Whom an invite link is for")
            .takes("InviteBody")
            .unkeyed("it only reads"),
        post("/api/v1/auth/accept", Public, account::accept, "Accept an invite or reset link")
            .takes("AcceptBody"),
        get("/api/v1/auth/oidc", Public, oidc::list, "OpenID providers to sign in with"),
        get("/api/v1/auth/oidc/{name}/start", Public, oidc::start, "Go to one"),
        get("/api/v1/auth/oidc/{name}/callback", Public, oidc::callback, "Come back from it"),
        get("/api/v1/shared/{token}", Public, shares::shared, "A shared report"),
        // It finds the leader by itself: what follows its head is no request.
        get("/api/v1/rooms/{id}/socket", Public, socket::open, "A room's WebSocket, by ticket")
            .here(),
    ]
}

fn account_routes() -> Vec<Route> {
    vec![
        get("/api/v1/me", Person, me::show, "The own account"),
        patch("/api/v1/me", Person, me::change, "Change the own account").takes("MeBody"),
        get("/api/v1/me/context", Person, me::context, "CV, job description, mode"),
        put("/api/v1/me/context", Person, me::set_context, "Set them").takes("ContextBody"),
        get("/api/v1/me/readiness", Person, progress::readiness, "Where the own practices stand"),
        get("/api/v1/me/cv", Person, cv::download, "The own CV as it was uploaded"),
        post("/api/v1/me/cv", Person, cv::upload, "Upload a CV: PDF, DOCX, TXT or Markdown")
            .takes_file(limit::CV_FILE_BYTES_MAX),
        get("/api/v1/me/progress", Person, progress::progress, "Practice over time"),
        get("/api/v1/me/profile", Person, progress::profile, "The own CV and job in parts"),
        get("/api/v1/me/ledger", Person, progress::ledger, "What does not fit together"),
        get("/api/v1/me/feedback", Person, progress::feedback, "Own judgements on reports"),
        get("/api/v1/me/sessions", Person, factors::sessions, "The own logins").in_person(),
        delete("/api/v1/me/sessions", Person, factors::end_others, "End all but this one")
            .in_person(),
        delete("/api/v1/me/sessions/{id}", Person, factors::end_session, "End one").in_person(),
        post("/api/v1/me/password", Person, factors::change_password, "Change the own password")
            .takes("PasswordBody")
            .in_person(),
        post("/api/v1/me/totp", Person, factors::begin_totp, "Set a second factor up")
            .takes("ProofBody")
            .unkeyed("a secret that was shown once is not kept to be shown again")
            .in_person(),
        post("/api/v1/me/totp/confirm", Person, factors::confirm_totp, "With its first code")
            .takes("CodeBody")
            .unkeyed("recovery codes that were shown once are not kept to be shown again")
            .in_person(),
        delete("/api/v1/me/totp", Person, factors::remove_totp, "Remove it")
            .takes("ProofBody")
            .in_person(),
        get("/api/v1/me/export", Person, privacy::export, "All own data as a ZIP file").in_person(),
        delete("/api/v1/me", Person, privacy::erase_me, "Erase the own account and all its data")
            .in_person(),
        get("/api/v1/people", ManagePeople, people::list, "Everybody"),
        post("/api/v1/people", ManagePeople, people::create, "Add somebody").takes("PersonBody"),
        get("/api/v1/people/{id}", ManagePeople, people::show, "One person"),
        patch("/api/v1/people/{id}", ManagePeople, people::change, "Change somebody")
            .takes("ChangeBody"),
        delete("/api/v1/people/{id}", ManagePeople, privacy::erase_person, "Erase somebody"),
        delete("/api/v1/people/{id}/totp", ManagePeople, factors::reset_totp, "No second factor")
            .in_person(),
        post("/api/v1/people/{id}/invite", ManagePeople, people::invite, "A new link").in_person(),
        get("/api/v1/me/tokens", Person, tokens::own, "Tokens of own programs").in_person(),
        post("/api/v1/me/tokens", Person, tokens::create_own, "A token for one")
            .takes("TokenBody")
            .in_person(),
        delete("/api/v1/me/tokens/{token}", Person, tokens::remove_own, "Take one back")
            .in_person(),
        get("/api/v1/people/{id}/tokens", ManagePeople, tokens::list, "Tokens of an account")
            .in_person(),
        post("/api/v1/people/{id}/tokens", ManagePeople, tokens::create, "One for a service")
            .takes("TokenBody")
            .in_person(),
        delete("/api/v1/people/{id}/tokens/{token}", ManagePeople, tokens::remove, "Take it back")
            .in_person(),
        get("/api/v1/modes", Person, kits::modes, "Modes and what each changes"),
        get("/api/v1/kits", Person, kits::list, "Question kits"),
        post("/api/v1/kits", ManageKits, kits::create, "Add a kit").takes("Kit"),
        get("/api/v1/kits/{id}", Person, kits::show, "One kit"),
        put("/api/v1/kits/{id}", ManageKits, kits::replace, "Its next version").takes("Kit"),
    ]
}

fn interview_routes() -> Vec<Route> {
    vec![
        get("/api/v1/interviews", Person, interviews::list, "My interviews, newest first"),
        post("/api/v1/interviews", Person, interviews::create, "Make an interview")
            .takes("InterviewBody"),
        get("/api/v1/interviews/{id}", Person, interviews::show, "One interview"),
        post("/api/v1/interviews/{id}/start", Person, acts::start, "Begin"),
        post("/api/v1/interviews/{id}/finish", Person, acts::finish, "End"),
        post("/api/v1/interviews/{id}/cancel", Person, acts::cancel, "Call off"),
        post("/api/v1/interviews/{id}/questions", Person, acts::ask, "Ask").takes("QuestionBody"),
        post("/api/v1/interviews/{id}/questions/check", Person, interviewer::check, "Ask it so?")
            .takes("QuestionBody")
            .unkeyed("it writes nothing"),
        post("/api/v1/interviews/{id}/questions/next", Person, coach::next, "The coach asks"),
        post("/api/v1/interviews/{id}/answers", Person, acts::answer, "Answer").takes("AnswerBody"),
        post(
            "/api/v1/interviews/{id}/answers/{answer_id}/model-answer",
            Person,
            chat::example::model_answer,
            "An example by a language model",
        )
        .unkeyed("it writes nothing"),
        post(
            "/api/v1/interviews/{id}/answers/{answer_id}/rephrase",
            Person,
            chat::rephrase::hints,
            "The hints in a language model's words",
        )
        .unkeyed("it writes nothing"),
        post(
            "/api/v1/interviews/{id}/questions/{question_id}/rephrase",
            Person,
            chat::rephrase::question,
            "A follow-up in a language model's words",
        )
        .unkeyed("it writes nothing"),
        post("/api/v1/interviews/{id}/skip", Person, acts::skip, "Go on without an answer")
            .takes("SkipBody"),
        get("/api/v1/interviews/{id}/events", Person, acts::events, "What happened"),
        get("/api/v1/interviews/{id}/interviewer", Person, interviewer::show, "Interviewers' side"),
        get("/api/v1/interviews/{id}/notes", Person, acts::notes, "Interviewers' notes"),
        post("/api/v1/interviews/{id}/ticket", Person, acts::ticket, "A ticket for the socket")
            .kept_here("The first ticket under a key is given again for its 30 seconds."),
        post("/api/v1/interviews/{id}/members", Person, acts::add_member, "Let somebody in")
            .takes("MemberBody"),
        delete(
            "/api/v1/interviews/{id}/members/{person}",
            Person,
            acts::remove_member,
            "Let somebody out",
        ),
        get("/api/v1/interviews/{id}/consent", Person, privacy::consent, "What was agreed to"),
        post(
            "/api/v1/interviews/{id}/consent",
            Person,
            privacy::answer_consent,
            "Agree or decline",
        )
        .takes("ConsentBody"),
        get("/api/v1/interviews/{id}/report", Person, reports::show, "The report"),
        get("/api/v1/interviews/{id}/export", Person, reports::download, "The report as a file"),
        post("/api/v1/interviews/{id}/feedback", Person, reports::feedback, "Was it accurate?")
            .takes("FeedbackBody"),
        get("/api/v1/interviews/{id}/shares", Person, shares::list, "Share links"),
        post("/api/v1/interviews/{id}/shares", Person, shares::create, "Make a share link")
            .takes("ShareBody"),
        delete("/api/v1/interviews/{id}/shares/{share}", Person, shares::revoke, "Revoke one"),
    ]
}

fn operator_routes() -> Vec<Route> {
    vec![
        get("/api/v1/admin/cluster", Operate, cluster::show, "How the nodes stand").early(),
        post("/api/v1/admin/cluster/tokens", Operate, cluster::token, "A token for a new node")
            .early()
            .in_person(),
        post("/api/v1/admin/cluster/stepdown", Operate, cluster::step_down, "Hand over")
            .early()
            .takes("StepDownBody")
            .unkeyed("who leads is no part of what is stored"),
        delete("/api/v1/admin/cluster/nodes/{id}", Operate, cluster::remove, "Remove a node")
            .early(),
        post("/api/v1/cluster/join", Public, cluster::join, "Become a node, with a token")
            .early()
            .takes("JoinBody")
            .unkeyed("its token lets one machine in, as the same node each time"),
        get("/api/v1/admin/keys", Operate, signing::show, "The keys that sign access tokens"),
        post("/api/v1/admin/keys/rotate", Operate, signing::rotate, "Sign with another one")
            .takes("RotateBody")
            .in_person(),
        get("/api/v1/admin/stats", Operate, stats::show, "How much there is of everything"),
        get("/api/v1/admin/limits", Operate, limits::show, "The rate policies in force"),
        put("/api/v1/admin/limits", Operate, limits::replace, "Change them for the cluster")
            .takes("LimitsBody"),
        get("/api/v1/admin/backup", Operate, backups::download, "The whole state as one file")
            .here()
            .in_person(),
        get("/api/v1/admin/backups", Operate, backups::list, "Scheduled backups of this node")
            .here(),
        post("/api/v1/admin/backups", Operate, backups::create, "Make one of them now")
            .here()
            .kept_here("The first backup of this node under a key is named again for 24 hours."),
    ]
}

fn privacy_routes() -> Vec<Route> {
    vec![
        get("/api/v1/admin/audit", Operate, audit::show, "The audit log"),
        get("/api/v1/admin/retention", Operate, privacy::retention, "For how long data are kept"),
        put("/api/v1/admin/retention", Operate, privacy::set_retention, "Change it")
            .takes("RetentionBody"),
        get("/api/v1/admin/holds", Operate, privacy::holds, "Legal holds"),
        post("/api/v1/admin/holds", Operate, privacy::hold, "Hold something").takes("HoldBody"),
        delete("/api/v1/admin/holds/{id}", Operate, privacy::release, "Release a hold"),
        get("/api/v1/admin/erasures", Operate, privacy::erasures, "Receipts of what was erased"),
    ]
}

fn calibration_routes() -> Vec<Route> {
    vec![
        get("/api/v1/calibrations", Operate, calibrations::list, "Calibrations of the scores"),
        post("/api/v1/calibrations", Operate, calibrations::create, "Take one in")
            .takes("CalibrationBody"),
        get("/api/v1/calibrations/{version}", Operate, calibrations::show, "One of them"),
        post("/api/v1/calibrations/{version}/activate", Operate, calibrations::activate, "Use it"),
        get(
            "/api/v1/calibrations/{version}/drift",
            Operate,
            calibrations::drift,
            "What it would change",
        ),
    ]
}

fn upgrade_routes() -> Vec<Route> {
    vec![
        get("/api/v1/admin/upgrade", Operate, upgrade::show, "The level of the data").early(),
        post("/api/v1/admin/upgrade/finalize", Operate, upgrade::finalize, "Raise it").early(),
        post("/api/v1/admin/upgrade/undo", Operate, upgrade::undo, "Take the last raise back")
            .early()
            .takes("UndoBody"),
    ]
}
