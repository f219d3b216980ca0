//! Services and tasks.

use longshore::models::ObjectVersion;
use longshore::{Logs, Service, ServiceSpec, Services, Task, Tasks};

use super::{Transcript, awaited, calls, shown};
use crate::transcript::wire::{answer, chunked, frame};

pub(super) fn all() -> Vec<Transcript> {
    [collections(), changes(), logs()].concat()
}

const SERVICE: &str = r#"{"ID":"s1","Version":{"Index":7},"Spec":{"Name":"web","Mode":{"Replicated":{"Replicas":1}},"TaskTemplate":{"ContainerSpec":{"Image":"nginx"}}}}"#;
fn seven() -> ObjectVersion {
    ObjectVersion::new(7)
}

fn collections() -> Vec<Transcript> {
    let list = ("GET /services", r#"[{"ID":"s1"}]"#);
    let tasks = ("GET /tasks", r#"[{"ID":"t1"},{"ID":"t2"}]"#);
    let inspect = ("GET /services/web", r#"{"ID":"s1"}"#);
    let create = ("POST /services/create", r#"{"ID":"s1"}"#);
    vec![
        calls("every list of services", &[list, list], "1 1", |docker| {
            Box::pin(async move {
                let services = docker.services();
                let plain = Services::list(&services).await?;
                shown(&[&plain.len(), &Services::list_with(&services, &Default::default()).await?.len()])
            })
        }),
        calls("every list of tasks", &[tasks, tasks, ("GET /tasks/t1", r#"{"ID":"t1"}"#)], r#"2 2 "t1""#, |docker| {
            Box::pin(async move {
                let tasks = docker.tasks();
                let (plain, other) = (Tasks::list(&tasks).await?, Tasks::list_with(&tasks, &Default::default()).await?);
                shown(&[&plain.len(), &other.len(), &Task::inspect(&docker.task("t1")).await?.id])
            })
        }),
        calls(
            "every look at a service, and its removal",
            &[inspect, inspect, ("DELETE /services/web", "")],
            r#""s1" "s1" ()"#,
            |docker| {
                Box::pin(async move {
                    let service = docker.service("web");
                    let plain = Service::inspect(&service).await?;
                    let other = Service::inspect_with(&service, &Default::default()).await?;
                    shown(&[&plain.id, &other.id, &Service::remove(&service).await?])
                })
            },
        ),
        calls("every making of a service", &[create, create], r#""s1" "s1""#, |docker| {
            Box::pin(async move {
                let (services, spec) = (docker.services(), ServiceSpec::image("nginx").name("web"));
                let plain = Services::create(&services, &spec).await?;
                shown(&[&plain.id(), &Services::create_with(&services, &spec, &Default::default()).await?.id()])
            })
        }),
    ]
}

fn changes() -> Vec<Transcript> {
    let (read, write) =
        (("GET /services/web", SERVICE), ("POST /services/web/update?version=7", r#"{"Warnings":["w"]}"#));
    let rollback = ("POST /services/web/update?version=7&rollback=previous", r#"{"Warnings":["w"]}"#);
    vec![
        calls("every change of a service", &[read, write, read, write], r#"["w"] ["w"]"#, |docker| {
            Box::pin(async move {
                let service = docker.service("web");
                let plain = Service::update(&service, |spec| spec).await?;
                let other = Service::update_with(&service, |spec| spec, &Default::default()).await?;
                shown(&[&plain.warnings, &other.warnings])
            })
        }),
        calls("a service replaced in every way", &[write, write], r#"["w"] ["w"]"#, |docker| {
            Box::pin(async move {
                let (service, spec) = (docker.service("web"), ServiceSpec::image("nginx").name("web"));
                let plain = Service::replace(&service, seven(), &spec).await?;
                let other = Service::replace_with(&service, seven(), &spec, &Default::default()).await?;
                shown(&[&plain.warnings, &other.warnings])
            })
        }),
        calls("a service rolled back and scaled", &[read, rollback, read, write], r#"["w"] ["w"]"#, |docker| {
            Box::pin(async move {
                let service = docker.service("web");
                let back = Service::rollback(&service).await?;
                shown(&[&back.warnings, &Service::scale(&service, 3).await?.warnings])
            })
        }),
    ]
}

fn logs() -> Vec<Transcript> {
    let framed = || {
        let fields = ["Content-Type: application/vnd.docker.multiplexed-stream", "Transfer-Encoding: chunked"];
        answer("200 OK", &fields, chunked(&[frame(1, "one\n"), frame(2, "two\n")]))
    };
    let service = Transcript::new("logs of a service", |docker| {
        Box::pin(async move {
            let output = awaited::<Logs<Service>, _>(docker.service("web").logs()).await?;
            shown(&[&output.collect().await?.stdout.text()])
        })
    });
    let task = Transcript::new("logs of a task", |docker| {
        Box::pin(async move {
            let output = awaited::<Logs<Task>, _>(docker.task("t1").logs()).await?;
            shown(&[&output.collect().await?.stderr.text()])
        })
    });
    vec![
        service.exchange("GET /v1.44/services/web/logs?stdout=1&stderr=1", framed()).gives(r#""one\n""#),
        task.exchange("GET /v1.44/tasks/t1/logs?stdout=1&stderr=1", framed()).gives(r#""two\n""#),
    ]
}
