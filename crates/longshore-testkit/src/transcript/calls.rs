//! The rest of the calls: nothing about them is special, and that is what the tests are to find.

use longshore::{Docker, Size, Spec, container};

use super::wire::{answer, chunked_json, frame, json, upgraded};
use super::{Calling, Transcript};
use crate::answer::Answer;

pub(super) fn all() -> Vec<Transcript> {
    [changes(), measurements(), images(), executions(), vec![run()]].concat()
}

fn call(name: &'static str, request: &str, answer: Vec<u8>, gives: &str, call: fn(Docker) -> Calling) -> Transcript {
    Transcript::new(name, call).exchange(request, answer).gives(gives)
}

fn done() -> Vec<u8> {
    answer("204 No Content", &[], "")
}

fn changes() -> Vec<Transcript> {
    let kill = |docker: Docker| -> Calling {
        Box::pin(async move {
            let options = container::KillOptions::default().signal("HUP");
            Ok(format!("{:?}", docker.container("web").kill_with(&options).await?))
        })
    };
    let restart = |docker: Docker| -> Calling {
        Box::pin(async move { Ok(format!("{:?}", docker.container("web").restart().await?)) })
    };
    let pause = |docker: Docker| -> Calling {
        Box::pin(async move {
            let web = docker.container("web");
            Ok(format!("{:?} {:?}", web.pause().await?, web.unpause().await?))
        })
    };
    let rename = |docker: Docker| -> Calling {
        Box::pin(async move { Ok(format!("{:?}", docker.container("web").rename("web-1").await?)) })
    };
    let resize = |docker: Docker| -> Calling {
        Box::pin(async move {
            let size = Size { rows: 24, columns: 80 };
            Ok(format!("{:?}", docker.container("web").resize(size).await?))
        })
    };
    let update = |docker: Docker| -> Calling {
        Box::pin(async move {
            let options = container::UpdateOptions::default().memory(64 * 1024 * 1024);
            Ok(docker.container("web").update_with(&options).await?.warnings.join(" "))
        })
    };
    let commit = |docker: Docker| -> Calling {
        Box::pin(async move { Ok(docker.container("web").commit().await?.name().to_owned()) })
    };
    let prune = |docker: Docker| -> Calling {
        Box::pin(async move {
            let pruned = docker.containers().prune().await?;
            Ok(format!("{} {}", pruned.containers_deleted.join(" "), pruned.space_reclaimed))
        })
    };
    let cache = |docker: Docker| -> Calling {
        Box::pin(async move {
            docker.cancel_build("b1").await?;
            let pruned = docker.prune_build_cache().await?;
            Ok(format!("{} {}", pruned.caches_deleted.join(" "), pruned.space_reclaimed))
        })
    };
    vec![
        call(
            "the end of a build and of its cache",
            "POST /v1.44/build/cancel?id=b1",
            answer("200 OK", &["Content-Length: 0"], ""),
            "k1 k2 70",
            cache,
        )
        .exchange("POST /v1.44/build/prune", json("200 OK", r#"{"CachesDeleted":["k1","k2"],"SpaceReclaimed":70}"#)),
        call("a kill", "POST /v1.44/containers/web/kill?signal=HUP", done(), "()", kill),
        call("a restart", "POST /v1.44/containers/web/restart", done(), "()", restart),
        call("a pause", "POST /v1.44/containers/web/pause", done(), "() ()", pause)
            .exchange("POST /v1.44/containers/web/unpause", done()),
        call("a renaming", "POST /v1.44/containers/web/rename?name=web-1", done(), "()", rename),
        call(
            "a resize",
            "POST /v1.44/containers/web/resize?h=24&w=80",
            answer("200 OK", &["Content-Length: 0"], ""),
            "()",
            resize,
        ),
        call(
            "an update",
            "POST /v1.44/containers/web/update",
            json("200 OK", "{\"Warnings\":[\"no swap\"]}"),
            "no swap",
            update,
        ),
        call(
            "a commit",
            "POST /v1.44/commit?container=web&pause=1",
            json("201 Created", "{\"Id\":\"sha256:0f\"}"),
            "sha256:0f",
            commit,
        ),
        call(
            "a prune",
            "POST /v1.44/containers/prune",
            json("200 OK", "{\"ContainersDeleted\":[\"a\",\"b\"],\"SpaceReclaimed\":12}"),
            "a b 12",
            prune,
        ),
    ]
}

fn measurements() -> Vec<Transcript> {
    let top = |docker: Docker| -> Calling {
        Box::pin(async move { Ok(docker.container("web").top().await?.column("CMD").collect::<Vec<_>>().join(" ")) })
    };
    let diff = |docker: Docker| -> Calling {
        Box::pin(async move {
            let all = docker.container("web").changes().await?;
            Ok(all.iter().map(|change| change.path.as_str()).collect::<Vec<_>>().join(" "))
        })
    };
    let once = |docker: Docker| -> Calling {
        Box::pin(async move { Ok(docker.container("web").stats_once().await?.memory_used().to_string()) })
    };
    let version = |docker: Docker| -> Calling { Box::pin(async move { Ok(docker.version().await?.version.clone()) }) };
    vec![
        call(
            "processes",
            "GET /v1.44/containers/web/top",
            json("200 OK", "{\"Titles\":[\"PID\",\"CMD\"],\"Processes\":[[\"1\",\"sh\"],[\"7\",\"ls\"]]}"),
            "sh ls",
            top,
        ),
        call(
            "changes of files",
            "GET /v1.44/containers/web/changes",
            chunked_json(&["[{\"Path\":\"/a\",\"Kind\":0}", ",{\"Path\":\"/b\",\"Kind\":1}]\n"]),
            "/a /b",
            diff,
        ),
        call(
            "one sample",
            "GET /v1.44/containers/web/stats?stream=0",
            json("200 OK", "{\"memory_stats\":{\"usage\":77}}\n"),
            "77",
            once,
        ),
        call(
            "an engine's version",
            "GET /v1.44/version",
            json("200 OK", "{\"Version\":\"25.0.3\"}"),
            "25.0.3",
            version,
        ),
    ]
}

fn images() -> Vec<Transcript> {
    let list = |docker: Docker| -> Calling {
        Box::pin(async move {
            let all = docker.images().list().await?;
            Ok(all.iter().flat_map(|image| image.repo_tags.clone()).collect::<Vec<_>>().join(" "))
        })
    };
    let inspect =
        |docker: Docker| -> Calling { Box::pin(async move { Ok(docker.image("a/b:1").inspect().await?.id.clone()) }) };
    let tag = |docker: Docker| -> Calling {
        Box::pin(async move { Ok(format!("{:?}", docker.image("a/b:1").tag("mine:2").await?)) })
    };
    let remove = |docker: Docker| -> Calling {
        Box::pin(async move {
            let all = docker.image("a/b:1").remove().await?;
            Ok(all.iter().filter_map(|one| one.untagged.clone()).collect())
        })
    };
    vec![
        call(
            "images",
            "GET /v1.44/images/json",
            json("200 OK", "[{\"Id\":\"sha256:1\",\"RepoTags\":[\"a:1\",\"b:2\"]}]"),
            "a:1 b:2",
            list,
        ),
        call("an image", "GET /v1.44/images/a/b:1/json", json("200 OK", "{\"Id\":\"sha256:1\"}"), "sha256:1", inspect),
        call(
            "a tag",
            "POST /v1.44/images/a/b:1/tag?repo=mine&tag=2",
            answer("201 Created", &["Content-Length: 0"], ""),
            "()",
            tag,
        ),
        call(
            "an image's removal",
            "DELETE /v1.44/images/a/b:1",
            json("200 OK", "[{\"Untagged\":\"a/b:1\"}]"),
            "a/b:1",
            remove,
        ),
    ]
}

fn executions() -> Vec<Transcript> {
    let detached = |docker: Docker| -> Calling {
        Box::pin(async move {
            let exec = docker.container("web").exec(["sleep", "9"]).start_detached().await?;
            exec.resize(Size { rows: 24, columns: 80 }).await?;
            Ok(format!("{} {}", exec.id(), exec.wait().await?))
        })
    };
    let empty = || answer("200 OK", &["Content-Length: 0"], "");
    vec![
        call(
            "an execution left to itself",
            "POST /v1.44/containers/web/exec",
            json("201 Created", "{\"Id\":\"e1\"}"),
            "e1 exit code 0",
            detached,
        )
        .exchange("POST /v1.44/exec/e1/start", empty())
        .exchange("POST /v1.44/exec/e1/resize?h=24&w=80", empty())
        .exchange("GET /v1.44/exec/e1/json", json("200 OK", "{\"Running\":false,\"ExitCode\":0}")),
    ]
}

/// A container from its creation to its removal, over three connections.
fn run() -> Transcript {
    let call = |docker: Docker| -> Calling {
        Box::pin(async move {
            let done = docker.containers().output(Spec::image("alpine").cmd(["job"])).await?;
            Ok(format!("{} out={} err={}", done.status, done.stdout, done.stderr))
        })
    };
    let head = upgraded("application/vnd.docker.multiplexed-stream");
    let frames = [frame(1, "one\n"), frame(2, "two\n")];
    let output = Answer::new([&head[..], &frames.concat()].concat()).then_close();
    let start = "POST /v1.44/containers/c1/start";
    Transcript::new("a run to its end", call)
        .exchange("POST /v1.44/containers/create", json("201 Created", "{\"Id\":\"c1\",\"Warnings\":[]}"))
        .exchange("POST /v1.44/containers/c1/attach?stream=1&stdin=0&stdout=1&stderr=1", output)
        .exchange("POST /v1.44/containers/c1/wait?condition=next-exit", chunked_json(&["{\"StatusCode\":4}\n"]))
        .exchange(start, done())
        .exchange("DELETE /v1.44/containers/c1?force=1&v=1", done())
        .gives("exit code 4 out=one\n err=two\n")
        .may_end(1, head.len(), "exit code 4 out= err=")
        .may_end(1, head.len() + frames[0].len(), "exit code 4 out=one\n err=")
}
