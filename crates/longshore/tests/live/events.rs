//! What happens on an engine, as it tells it.

use std::time::{Duration, SystemTime};

use longshore::models::{EventAction, EventKind, EventMessage, Scope};
use longshore::{Delivery, ErrorKind, Events, EventsOptions, Result};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(the_life_of_a_container_is_told),
        test(what_happened_before_is_told_again),
        test(events_are_chosen),
        test(many_follow_the_same_events),
        test(networks_and_volumes_are_told),
        test(an_end_before_the_beginning_is_refused),
    ]
}

/// Takes events until one of these actions.
async fn until(events: &mut Events, action: EventAction) -> Result<Vec<EventMessage>> {
    let mut taken = Vec::new();
    while let Some(event) = events.next().await {
        taken.push(event?);
        if taken.last().is_some_and(|event| event.action == action) {
            break;
        }
    }
    Ok(taken)
}

fn actions(events: &[EventMessage]) -> Vec<&EventAction> {
    events.iter().map(|event| &event.action).collect()
}

async fn the_life_of_a_container_is_told(live: Live) -> Outcome {
    let created = live.create(live.spec(["sh", "-c", "exit 7"])).await?;
    let options = EventsOptions::default().kind(EventKind::Container).container(created.id());
    let mut events = live.events_with(&options).await?;
    created.start().await?;
    let told = until(&mut events, EventAction::Die).await?;
    assert!(actions(&told).contains(&&EventAction::Start), "{told:?}");
    let died = told.last().expect("an event");
    assert_eq!((&died.kind, died.actor.id.as_str(), &died.scope), (&EventKind::Container, created.id(), &Scope::Local));
    assert_eq!(died.actor.attributes["exitCode"], "7");
    let age = SystemTime::now().duration_since(died.time.to_system_time().expect("a time"));
    assert!(age.is_ok_and(|age| age < Duration::from_secs(30)), "{}", died.time);
    Ok(())
}

async fn what_happened_before_is_told_again(live: Live) -> Outcome {
    let begun = SystemTime::now() - Duration::from_secs(1);
    let container = live.containers().run(live.spec("true")).await?;
    let options = EventsOptions::default().container(container.id()).since(begun);
    container.status().await?;
    let told = until(&mut live.events_with(&options).await?, EventAction::Die).await?;
    assert!(actions(&told).contains(&&EventAction::Start), "{told:?}");

    // An end in the past ends the stream by itself.
    let options = options.until(SystemTime::now() + Duration::from_secs(1));
    let mut events = live.events_with(&options).await?;
    let mut count = 0;
    while let Some(event) = events.next().await {
        event?;
        count += 1;
    }
    assert!(count >= told.len(), "{count} {told:?}");
    assert!(events.next().await.is_none());
    Ok(())
}

async fn events_are_chosen(live: Live) -> Outcome {
    let container = live.create(live.spec("true").label("color", "blue")).await?;
    let options = EventsOptions::default().kind(EventKind::Container).filter("label", live.label());
    // Podman 4 knows an end by another word than it tells it by.
    let mut ends = live.events_with(&options.action(EventAction::Die).filter("event", "died")).await?;
    // Of several labels Podman 4 wants any one, and other tests have labels of their own.
    let other = EventsOptions::default().kind(EventKind::Container).filter("label", format!("color={}", live.name()));
    let mut others = live.events_with(&other.until(SystemTime::now() + Duration::from_secs(1))).await?;
    container.start().await?;
    let end = ends.next().await.expect("an end")?;
    assert_eq!((end.action, end.actor.id.as_str()), (EventAction::Die, container.id()));
    assert!(others.next().await.transpose()?.is_none());
    Ok(())
}

async fn many_follow_the_same_events(live: Live) -> Outcome {
    let container = live.create(live.spec("true")).await?;
    let options = EventsOptions::default().container(container.id());
    let fan_out = live.events_with(&options).await?.fan_out(64);
    let subscriptions = [fan_out.subscribe(), fan_out.subscribe(), fan_out.subscribe()];
    container.start().await?;
    for mut subscription in subscriptions {
        loop {
            match subscription.next().await.expect("no end yet")? {
                Delivery::Item(event) if event.action == EventAction::Die => break,
                Delivery::Item(_) => {}
                Delivery::Lagged(count) => panic!("{count} events were lost"),
            }
        }
    }
    Ok(())
}

async fn networks_and_volumes_are_told(live: Live) -> Outcome {
    let mut volumes = live.events_with(&EventsOptions::default().kind(EventKind::Volume)).await?;
    let volume = live.volumes().create(&live.volume_spec()).await?;
    loop {
        let event = volumes.next().await.expect("no end yet")?;
        let name = event.actor.attributes.get("name").map_or(event.actor.id.as_str(), String::as_str);
        if name == volume.name() {
            assert_eq!((event.kind, event.action), (EventKind::Volume, EventAction::Create));
            break;
        }
    }
    if live.engine().is_podman() {
        // Version 4 tells nothing of networks.
        return Ok(());
    }
    let mut networks = live.events_with(&EventsOptions::default().kind(EventKind::Network)).await?;
    let network = live.networks().create(&live.network_spec()).await?;
    network.remove().await?;
    let mut told = Vec::new();
    while told != [EventAction::Create, EventAction::Destroy] {
        let event = networks.next().await.expect("no end yet")?;
        if event.actor.id == network.id() {
            told.push(event.action);
        }
    }
    Ok(())
}

async fn an_end_before_the_beginning_is_refused(live: Live) -> Outcome {
    let now = SystemTime::now();
    let options = EventsOptions::default().since(now).until(now - Duration::from_secs(60));
    match live.events_with(&options).await {
        // Podman has nothing to tell instead.
        Ok(mut events) if live.engine().is_podman() => assert!(events.next().await.transpose()?.is_none()),
        outcome => drop(refused(outcome, &[ErrorKind::Invalid])),
    }
    Ok(())
}
