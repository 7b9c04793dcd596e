//! A form with one file in it, as a write that happens at most once under a key.

use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::domain::limit;
use crate::domain::refusal::{Code, Refusal};

use super::super::address;
use super::super::app::Shared;
use super::super::caller::Caller;
use super::super::error::Error;
use super::super::layers::RequestId;
use super::key::{Material, read_key};
use super::{Given, Write, enter, unread};

/// A file that came in a form.
pub(in crate::http) struct Upload {
    /// The name that the client gave it.
    pub(in crate::http) name: String,
    /// The media type that the client gave it, in lower case, without parameters.
    pub(in crate::http) media_type: String,
    /// What is in it.
    pub(in crate::http) bytes: Bytes,
}

impl FromRequest<Shared> for Write<Upload> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &Shared) -> Result<Write<Upload>, Error> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, app).await?;
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        let from = address::network(&parts.extensions);
        let target = format!("{} {}", parts.method, parts.uri.path());
        let key = read_key(&parts.headers)?;
        let body = form_of(Request::from_parts(parts, body)).await?;
        // Of the file and not of the body: a client draws a new boundary for each try.
        let given = key.map(|key| {
            let name = [body.name.as_bytes(), body.media_type.as_bytes()];
            let parts = [target.as_bytes(), name[0], name[1], &body.bytes];
            Given { key, material: Material::of_parts(parts) }
        });
        let (key, flight) = enter(app, &caller, given.as_ref())?;
        let request_id = request_id.unwrap_or_default();
        Ok(Write { body, caller, request_id, from, given, key, flight })
    }
}

/// A place for a body that may be larger than others are, because it is in memory as a whole; other
/// bodies need none.
pub(in crate::http) fn place_for(
    body_bytes_max: usize,
) -> Result<Option<SemaphorePermit<'static>>, Error> {
    static PLACES: Semaphore = Semaphore::const_new(limit::UPLOADS_MAX);
    if body_bytes_max <= limit::BODY_BYTES_MAX {
        return Ok(None);
    }
    PLACES.try_acquire().map(Some).map_err(|_| {
        let detail = "too many files are being uploaded; try again in a moment";
        Refusal::new(Code::RateLimited, detail).into()
    })
}

/// Reads a body as a form with one file.
pub(in crate::http) async fn form_of(request: Request) -> Result<Upload, Error> {
    let form = Multipart::from_request(request, &()).await.map_err(|_| no_form())?;
    file_of(form).await
}

/// The one file of a form.
async fn file_of(mut form: Multipart) -> Result<Upload, Error> {
    let Some(field) = form.next_field().await.map_err(broken)? else {
        return Err(Refusal::field("file", "the form has no file in it").into());
    };
    let (name, media_type) = described(&field);
    let bytes = field.bytes().await.map_err(broken)?;
    if bytes.len() > limit::CV_FILE_BYTES_MAX {
        return Err(unread(true, limit::CV_FILE_BYTES_MAX));
    }
    if form.next_field().await.map_err(broken)?.is_some() {
        return Err(Refusal::field("file", "the form has more than one file in it").into());
    }
    Ok(Upload { name, media_type, bytes })
}

fn described(field: &Field<'_>) -> (String, String) {
    let name = field.file_name().unwrap_or_default().to_owned();
    let media_type = field.content_type().unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    (name, media_type.to_ascii_lowercase())
}

fn no_form() -> Refusal {
    let detail = "the body must be a form with a file; send Content-Type: multipart/form-data";
    Refusal::new(Code::InputUnsupportedType, detail)
}

fn broken(error: MultipartError) -> Error {
    match error.status().as_u16() {
        413 => unread(true, limit::CV_FILE_BYTES_MAX),
        _ => Refusal::field("file", format!("the form is broken: {}", error.body_text())).into(),
    }
}
