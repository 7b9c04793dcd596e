//! The control: a bare axum server with a task for each room and each member and queues of bounded
//! size. It hands every frame to the other sockets of the room, and answers the first with a word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{any, post};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;

/// Makes this program the control.
pub const ARGUMENT: &str = "--serve-the-control";

/// Frames that wait for one member, and for a room.
const QUEUE: usize = 1_024;

enum Input {
    Join(u64, mpsc::Sender<Utf8Bytes>),
    Frame(u64, Utf8Bytes),
    Leave(u64),
}

type Rooms = Arc<Mutex<(u64, HashMap<String, mpsc::Sender<Input>>)>>;

/// Serves until the process is killed; the first line says where.
pub async fn serve() {
    let app = Router::new()
        .route("/ticket", post(async || "{}"))
        .route("/room/{name}", any(open))
        .with_state(Rooms::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, app).await.unwrap();
}

async fn open(
    State(rooms): State<Rooms>,
    Path(name): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade.read_buffer_size(4_096).write_buffer_size(8_192);
    upgrade.on_upgrade(move |socket| async move {
        let (member, room) = {
            let mut rooms = rooms.lock().unwrap();
            rooms.0 += 1;
            let member = rooms.0;
            let room = rooms.1.entry(name).or_insert_with(|| {
                let (send, inputs) = mpsc::channel(QUEUE);
                tokio::spawn(run(inputs));
                send
            });
            (member, room.clone())
        };
        carry(socket, member, room).await;
    })
}

async fn run(mut inputs: mpsc::Receiver<Input>) {
    let mut members: Vec<(u64, mpsc::Sender<Utf8Bytes>)> = Vec::new();
    while let Some(input) = inputs.recv().await {
        match input {
            Input::Join(member, out) => members.push((member, out)),
            Input::Leave(member) => members.retain(|(other, _)| *other != member),
            Input::Frame(from, frame) => {
                for (_, out) in members.iter().filter(|(member, _)| *member != from) {
                    // Whoever is behind loses it; the count of deliveries tells.
                    let _ = out.try_send(frame.clone());
                }
            }
        }
    }
}

async fn carry(socket: WebSocket, member: u64, room: mpsc::Sender<Input>) {
    let (mut sink, mut stream) = socket.split();
    let Some(Ok(Message::Text(_))) = stream.next().await else { return };
    if sink.send(Message::Text(r#"{"type":"welcome"}"#.into())).await.is_err() {
        return;
    }
    let (out, mut frames) = mpsc::channel::<Utf8Bytes>(QUEUE);
    let _ = room.send(Input::Join(member, out)).await;
    let writer = tokio::spawn(async move {
        let mut batch = Vec::new();
        while frames.recv_many(&mut batch, 64).await > 0 {
            for frame in batch.drain(..) {
                if sink.feed(Message::Text(frame)).await.is_err() {
                    return;
                }
            }
            if sink.flush().await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(message)) = stream.next().await {
        if let Message::Text(text) = message {
            let _ = room.send(Input::Frame(member, text)).await;
        }
    }
    let _ = room.send(Input::Leave(member)).await;
    writer.abort();
}
