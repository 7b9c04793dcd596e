//! A body that has to keep coming: whoever stops in the middle is not waited for.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::domain::limit;

/// The body of a request, with an end to pauses in it.
pub(super) struct Patience {
    body: Incoming,
    pause: Pin<Box<Sleep>>,
    /// Nobody waits before the first look: a handler may begin with something else.
    began: bool,
}

impl Patience {
    pub(super) fn with(body: Incoming) -> Patience {
        Patience { body, pause: Box::pin(sleep(longest())), began: false }
    }
}

impl Body for Patience {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if !self.began || frame.is_ready() {
            self.began = true;
            self.pause.as_mut().reset(Instant::now() + longest());
        }
        if let Poll::Ready(frame) = frame {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.pause.as_mut().poll(context));
        let why = format!("nothing came for {} seconds", limit::REQUEST_BODY_PAUSE_SECONDS);
        Poll::Ready(Some(Err(why.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn longest() -> Duration {
    Duration::from_secs(limit::REQUEST_BODY_PAUSE_SECONDS)
}
