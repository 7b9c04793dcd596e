//! The queue to a connection: order, bounds, and nothing lost that may not be.

use super::*;
use proptest::prelude::*;

fn frame(text: &str) -> Arc<str> {
    text.into()
}

fn drain(way_out: &mut WayOut) -> Vec<String> {
    let mut batch = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(way_out.take(&mut batch, usize::MAX));
    let text = |outgoing: Outgoing| match outgoing {
        Outgoing::Frame(text) => text.to_string(),
        Outgoing::Close(_, code) => code.to_string(),
    };
    batch.into_iter().map(text).collect()
}

#[test]
fn a_newer_partial_takes_the_place_of_an_older_one_and_keeps_the_order() {
    let (outbox, mut way_out) = outbox();
    let (one, two) = (PersonId(uuid::Uuid::from_u128(1)), PersonId(uuid::Uuid::from_u128(2)));
    outbox.ephemeral(Subject::Partial(two), frame("two, early"));
    outbox.ephemeral(Subject::Partial(two), frame("two, a moment later"));
    assert_eq!(drain(&mut way_out).len(), 2, "who keeps up gets both");
    for n in 1..limit::OUTBOX_BEHIND_FRAMES {
        outbox.event(frame(&n.to_string())).unwrap();
    }
    outbox.ephemeral(Subject::Partial(one), frame("one a"));
    outbox.event(frame("event")).unwrap();
    outbox.ephemeral(Subject::Partial(two), frame("two"));
    outbox.ephemeral(Subject::Single, frame("signal 1"));
    outbox.ephemeral(Subject::Partial(one), frame("one b"));
    outbox.ephemeral(Subject::Single, frame("signal 2"));
    let drained = drain(&mut way_out).split_off(limit::OUTBOX_BEHIND_FRAMES - 1);
    assert_eq!(drained, ["event", "two", "signal 1", "one b", "signal 2"]);
}

#[test]
fn a_full_queue_refuses_events_still_answers_and_always_says_goodbye() {
    let (outbox, mut way_out) = outbox();
    let mut events = 0;
    while outbox.event(frame("an event")).is_ok() {
        events += 1;
    }
    assert_eq!(events, limit::OUTBOX_FRAMES_MAX);
    outbox.answer(frame("an answer")).expect("the reserve");
    outbox.close(Outgoing::Close(None, 1000));
    assert_eq!(outbox.answer(frame("late")), Err(NotTaken::Closed));
    let drained = drain(&mut way_out);
    assert_eq!(drained.len(), events + 2);
    assert_eq!(drained[events..], ["an answer", "1000"]);
}

#[test]
fn a_frame_that_is_larger_than_the_queue_passes_through_an_empty_one() {
    let (outbox, mut way_out) = outbox();
    outbox.event("x".repeat(2 * limit::OUTBOX_BYTES_MAX).into()).unwrap();
    assert_eq!(outbox.event(frame("next")), Err(NotTaken::Full));
    assert_eq!(drain(&mut way_out).len(), 1);
    outbox.event(frame("next")).unwrap();
}

#[tokio::test]
async fn who_waits_for_room_gets_it_and_who_is_left_alone_hears_of_it() {
    let (outbox, mut way_out) = outbox();
    while outbox.event(frame("an event")).is_ok() {}
    let waiting = outbox.clone();
    let waits = tokio::spawn(async move { waiting.event_when_room(frame("the last")).await });
    drop(outbox);
    let (mut all, mut batch) = (Vec::new(), Vec::new());
    while way_out.take(&mut batch, 10).await {
        all.append(&mut batch);
    }
    assert_eq!(waits.await.unwrap(), Ok(()));
    assert_eq!(all.last(), Some(&Outgoing::Frame(frame("the last"))));

    let (outbox, way_out) = super::outbox();
    while outbox.event(frame("an event")).is_ok() {}
    let waits = tokio::spawn(async move { outbox.event_when_room(frame("never")).await });
    drop(way_out);
    assert_eq!(waits.await.unwrap(), Err(NotTaken::Closed));
}

proptest! {
    /// Whatever comes and however slowly it is taken: what may not get lost arrives once and in
    /// order, of the rest a part in order, and the queue stays small.
    #[test]
    fn nothing_that_counts_is_lost_and_memory_is_bounded(
        steps in prop::collection::vec((0_u8..6, 0_usize..40_000), 1..400)
    ) {
        let (outbox, mut way_out) = outbox();
        let person = |n: u128| PersonId(uuid::Uuid::from_u128(n));
        let (mut kept, mut told, mut came) = (Vec::new(), Vec::new(), Vec::new());
        for (n, (kind, size)) in steps.into_iter().enumerate() {
            let text = format!("{n:05}{}", "x".repeat(size));
            match kind {
                0 => came.extend(drain_some(&outbox, &mut way_out)),
                1 => if outbox.event(frame(&text)).is_ok() { kept.push(n) },
                2 => if outbox.answer(frame(&text)).is_ok() { kept.push(n) },
                kind => {
                    outbox.ephemeral(Subject::Partial(person(u128::from(kind))), frame(&text));
                    told.push(n);
                }
            }
            let queue = outbox.0.open();
            let waiting: usize = queue.waiting.iter().map(|w| w.what.bytes()).sum();
            prop_assert_eq!(queue.bytes, waiting);
            let most = 2 * limit::OUTBOX_BYTES_MAX + limit::OUTBOX_EPHEMERAL_BYTES_MAX;
            prop_assert!(waiting <= most);
            prop_assert!(queue.ephemeral.bytes <= limit::OUTBOX_EPHEMERAL_BYTES_MAX);
        }
        came.extend(drain_some(&outbox, &mut way_out));
        prop_assert!(came.is_sorted());
        let lasting: Vec<usize> = came.iter().copied().filter(|n| !told.contains(n)).collect();
        prop_assert_eq!(lasting, kept);
    }
}

fn drain_some(outbox: &Outbox, way_out: &mut WayOut) -> Vec<usize> {
    if outbox.0.open().waiting.is_empty() {
        return Vec::new();
    }
    drain(way_out).iter().map(|text| text[..5].parse().unwrap()).collect()
}
