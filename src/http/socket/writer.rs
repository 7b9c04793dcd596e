//! The way out of a room: frames onto the socket, in their order.

use std::time::Duration;

use axum::extract::ws::Message;
use futures_util::SinkExt;
use tokio::time::Instant;

use crate::domain::limit;
use crate::http::app::Shared;
use crate::room::outbox::{Outgoing, WayOut};

use super::{FRAMES_AT_ONCE, Sink, in_time, send};

/// Puts frames on the socket: all that waits, then one flush; and a ping now and then.
pub(super) async fn write(app: Shared, mut sink: Sink, mut out: WayOut) {
    let pause = Duration::from_secs(limit::PING_SECONDS);
    let mut ping = tokio::time::interval_at(Instant::now() + pause, pause);
    let sent = app.metrics.frames_sent();
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            more = out.take(&mut batch, FRAMES_AT_ONCE) => {
                if !more {
                    let _ = sink.close().await;
                    return;
                }
                sent.inc_by(batch.len() as u64);
                for outgoing in batch.drain(..) {
                    let closes = matches!(outgoing, Outgoing::Close(..));
                    if !feed(&mut sink, outgoing).await || closes {
                        return;
                    }
                }
                if !in_time(sink.flush()).await {
                    return;
                }
            }
            _ = ping.tick() => {
                if !in_time(sink.send(Message::Ping(Default::default()))).await {
                    return;
                }
            }
        }
    }
}

async fn feed(sink: &mut Sink, outgoing: Outgoing) -> bool {
    match outgoing {
        Outgoing::Frame(text) => in_time(sink.feed(Message::Text((&*text).into()))).await,
        Outgoing::Close(..) => {
            send(sink, outgoing).await;
            false
        }
    }
}
