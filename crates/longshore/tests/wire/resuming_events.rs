//! Events that go on where their connection was lost.

use std::time::{Duration, UNIX_EPOCH};

use longshore::models::{EventAction, EventMessage};
use longshore::{ErrorKind, Events, EventsOptions, Missed, ResumeEvents, Resumed, Resuming};
use longshore_testkit::transcript::wire::{answer, chunked, json};
use longshore_testkit::{Answer, Exchange, Fault, ScriptedEngine, drain, never_hangs, poll_n, tally};

/// When the engine answers, by its clock.
const ANSWERED: i64 = 1_709_632_800_000_000_000;

const SECOND: i64 = 1_000_000_000;

/// Nanoseconds since the engine answered, and to what it happened: some at the same time, some out of order.
const EVENTS: &[(i64, &str)] = &[
    (1, "a"),
    (1, "b"),
    (2 * SECOND, "a"),
    (2 * SECOND - 9, "a"),
    (9 * SECOND, "c"),
    (9 * SECOND, "d"),
    (20 * SECOND, "a"),
];

fn written((at, id): (i64, &str)) -> String {
    let nanoseconds = ANSWERED + at;
    let seconds = nanoseconds / SECOND;
    format!(
        "{{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{{\"ID\":\"{id}\",\"Attributes\":{{\"exitCode\":\"0\"}}}},\
         \"scope\":\"local\",\"time\":{seconds},\"timeNano\":{nanoseconds}}}\n"
    )
}

fn told(events: &[(i64, &str)]) -> Answer {
    let events: Vec<String> = events.iter().map(|event| written(*event)).collect();
    Answer::new(answer("200 OK", &["Content-Type: application/json", "Transfer-Encoding: chunked"], chunked(&events)))
}

/// What is asked for from `since` on, to an end that is past.
fn target(since: Option<i64>) -> String {
    let since = since.map(|at| ANSWERED + at).map(|at| format!("since={}.{:09}&", at / SECOND, at % SECOND));
    format!("GET /v1.44/events?{}until=1709632900.000000000", since.unwrap_or_default())
}

fn since(at: i64) -> i64 {
    (at - 5 * SECOND).max(0)
}

/// Gives all that is not before what is asked for, and remembers all.
fn exchanges() -> Vec<Exchange> {
    let times = EVENTS.iter().map(|(at, _)| since(*at)).chain([0]);
    let again = times.map(|since| {
        let events: Vec<_> = EVENTS.iter().filter(|(at, _)| *at >= since).copied().collect();
        Exchange::new(target(Some(since)), told(&events)).repeats()
    });
    let first = Exchange::new(target(None), told(EVENTS)).repeats();
    again.chain([first]).collect()
}

fn call(engine: &ScriptedEngine) -> ResumeEvents {
    let options = EventsOptions::default().until(UNIX_EPOCH + Duration::from_secs(1_709_632_900));
    engine.docker().events_with(&options).resuming().idle(Duration::from_secs(30))
}

fn apart(items: Vec<Resuming<EventMessage>>) -> (Vec<EventMessage>, Vec<Resumed>) {
    let (mut events, mut resumed) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Resuming::Item(event) => events.push(event),
            Resuming::Resumed(told) => resumed.push(told),
        }
    }
    (events, resumed)
}

async fn expected() -> Vec<EventMessage> {
    let engine = ScriptedEngine::new([Exchange::new("GET /v1.44/events", told(EVENTS))]);
    let events: Events = engine.docker().events().await.unwrap();
    drain(events).await.items
}

#[tokio::test(start_paused = true)]
async fn events_survive_a_fault_at_every_byte() {
    let expected = expected().await;
    let whole = told(EVENTS);
    let exchanges = exchanges();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole.bytes()[..*at].ends_with(b"}\n")).collect();
    let mut faults = 0;
    for fault in [Fault::Cut, Fault::Reset, Fault::Stall] {
        for at in 0..whole.len() {
            let circumstance = format!("{fault:?} at {at}");
            let first = Exchange::new(target(None), whole.clone().fails_after(at, fault));
            let engine = ScriptedEngine::new([first].into_iter().chain(exchanges.iter().cloned()));
            let listening = async { drain(call(&engine).await.unwrap()).await };
            let drained = never_hangs(listening, &circumstance).await;
            assert_eq!(drained.error.map(|error| error.to_string()), None, "{circumstance}");
            let (events, resumed) = apart(drained.items);
            assert_eq!(events, expected, "{circumstance}");
            let has_begun = ends.first().is_some_and(|end| at >= *end);
            for told in &resumed {
                assert!(told.missed == Missed::Nothing || !has_begun, "{circumstance}: {told:?}");
            }
            assert_eq!(engine.problems(), Vec::<String>::new(), "{circumstance}");
            assert_eq!(engine.alive(), 0, "{circumstance}");
            faults += 1;
        }
    }
    tally("resuming", "connections lost", faults);
    tally("resuming", "events expected", faults * expected.len() as u64);
    tally("resuming", "events lost", 0);
    tally("resuming", "events duplicated", 0);
}

#[tokio::test(start_paused = true)]
async fn a_listener_may_be_cancelled_at_every_poll() {
    let expected = expected().await;
    let whole = told(EVENTS);
    for at in (200..whole.len()).step_by(37) {
        let first = Exchange::new(target(None), whole.clone().pieces(11).fails_after(at, Fault::Cut));
        let rest = exchanges().into_iter().map(|exchange| exchange.map(|answer| answer.pieces(13)));
        let engine = ScriptedEngine::new([first].into_iter().chain(rest));
        let mut events = call(&engine).await.unwrap();
        let mut items = Vec::new();
        // Each future is dropped after one poll.
        loop {
            match poll_n(events.next(), 1).await {
                Some(Some(item)) => items.push(item.unwrap()),
                Some(None) => break,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        assert_eq!(apart(items).0, expected, "cut at {at}");
    }
    // One that is dropped while it begins leaves nothing behind.
    for polls in 0.. {
        let engine =
            ScriptedEngine::new(exchanges().into_iter().map(|exchange| exchange.map(|answer| answer.pieces(13))));
        let begun = poll_n(call(&engine).into_future(), polls).await;
        let is_begun = begun.is_some();
        drop(begun);
        assert_eq!(engine.alive(), 0, "after {polls} polls");
        if is_begun {
            break;
        }
    }
}

fn lost_after_first(again: Exchange) -> ScriptedEngine {
    let first = told(&EVENTS[..1]);
    let cut = first.len() - 5;
    ScriptedEngine::new([Exchange::new(target(None), first.fails_after(cut, Fault::Cut)), again])
}

#[tokio::test(start_paused = true)]
async fn what_the_engine_does_not_remember_is_told() {
    // It was started again, or has had more to tell than it remembers; or it has nothing to tell.
    for later in [&EVENTS[4..], &[]] {
        let engine = lost_after_first(Exchange::new(target(Some(0)), told(later)));
        let (events, resumed) = apart(drain(call(&engine).await.unwrap()).await.items);
        assert_eq!((events.len(), resumed.len()), (1 + later.len(), 1));
        assert_eq!((resumed[0].missed, resumed[0].attempts), (Missed::Unknown, 1));
        engine.assert_finished();
    }
    // It says nothing: that is told soon, too.
    let silent = told(&[]);
    let length = silent.len() - 5;
    let engine = lost_after_first(Exchange::new(target(Some(0)), silent.fails_after(length, Fault::Stall)));
    let mut events = call(&engine).await.unwrap();
    assert!(matches!(events.next().await, Some(Ok(Resuming::Item(_)))));
    let begun = tokio::time::Instant::now();
    let Some(Ok(Resuming::Resumed(resumed))) = events.next().await else { panic!("it is not told") };
    assert_eq!(resumed.missed, Missed::Unknown);
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn what_may_be_new_is_not_kept_without_end() {
    let ids: Vec<String> = (0..6).map(|number| format!("{number}{}", "x".repeat(1_000_000))).collect();
    let large: Vec<(i64, &str)> = ids.iter().map(|id| (EVENTS[0].0, id.as_str())).collect();
    // After four it need not have ended, nor be silent, for the fifth to be told.
    for (count, soon) in [(4, false), (6, true)] {
        let again = told(&large[..count]);
        let length = again.len() - 5;
        let engine = lost_after_first(Exchange::new(target(Some(0)), again.fails_after(length, Fault::Stall)));
        let mut events = call(&engine).await.unwrap();
        assert!(matches!(events.next().await, Some(Ok(Resuming::Item(_)))));
        let begun = tokio::time::Instant::now();
        let Some(Ok(Resuming::Resumed(resumed))) = events.next().await else { panic!("it is not told") };
        assert_eq!((resumed.missed, begun.elapsed() < Duration::from_secs(1)), (Missed::Unknown, soon));
        for id in &ids[..count] {
            let Some(Ok(Resuming::Item(event))) = events.next().await else { panic!("it is lost") };
            assert!(event.actor.id == *id);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_engine_tells_twice_comes_once() {
    let twice: Vec<_> = EVENTS.iter().flat_map(|event| [*event, *event]).collect();
    let engine = ScriptedEngine::new([Exchange::new(target(None), told(&twice))]);
    assert_eq!(apart(drain(call(&engine).await.unwrap()).await.items).0, expected().await);
}

#[tokio::test(start_paused = true)]
async fn refusals_and_bounds_end_events() {
    let refused = json("400 Bad Request", r#"{"message":"no"}"#);
    let engine = lost_after_first(Exchange::new(target(Some(0)), refused));
    let drained = drain(call(&engine).await.unwrap()).await;
    assert_eq!((drained.items.len(), drained.error.unwrap().kind()), (1, ErrorKind::Invalid));

    let engine = lost_after_first(Exchange::new("GET /nothing", Answer::default()).repeats());
    let mut events = call(&engine).attempts(3).await.unwrap();
    engine.dialing(longshore_testkit::Dialing::Refuse(std::io::ErrorKind::NotFound));
    let Some(Ok(Resuming::Item(event))) = events.next().await else { panic!("no event") };
    assert_eq!(event.action, EventAction::Die);
    let error = events.next().await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Connect, "resume events"));
    assert!(error.to_string().contains("given up after 3 attempts"), "{error}");
    assert!(events.next().await.is_none());
    assert_eq!(call(&engine).await.unwrap_err().kind(), ErrorKind::Connect);
}
