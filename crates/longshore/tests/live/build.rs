//! Building images from tars and remote contexts, and the cache of builds.

use std::time::{Duration, SystemTime};

use longshore::container::UploadOptions;
use longshore::image::{BuildContext, BuildEvent, BuildOptions, BuildProgress, BuildPruneOptions};
use longshore::models::Ulimit;
use longshore::{ErrorKind, RegistryAuth, Result, Spec};
use longshore_testkit::live::{LABEL, Live};

use crate::harness::{Outcome, Test, test, test_within};
use crate::support::{Entry, refused, tar, until};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_tar_becomes_an_image_that_runs),
        test(a_build_stops_at_its_target),
        test(a_quiet_build_tells_only_its_image),
        test(buildkit_tells_its_steps),
        test(commands_run_as_the_options_say),
        test(commands_have_their_limits),
        test(hosts_are_known_to_commands),
        test(the_cache_spares_steps_unless_it_is_turned_off),
        test(a_command_that_fails_fails_the_build),
        test(what_is_no_context_is_refused),
        test(a_remote_context_is_got_by_the_engine),
        test(a_remote_context_that_can_not_be_had_is_an_error),
        test(a_build_is_given_up_with_its_progress),
        test(a_build_is_cancelled_by_its_id),
        test_within(Duration::from_secs(120), the_cache_of_builds_can_be_removed),
        test(an_unknown_filter_of_the_cache_is_refused),
    ]
}

/// A context with this Dockerfile and a file `a`.
fn context(dockerfile: &str) -> Vec<u8> {
    tar(&[Entry::file("Dockerfile", dockerfile.as_bytes()), Entry::file("a", b"from the context\n")])
}

/// Reads a build to its end: what was written, and how many traces came.
async fn read(mut build: BuildProgress) -> Result<(String, usize)> {
    let (mut text, mut traces) = (String::new(), 0);
    while let Some(event) = build.next().await {
        match event? {
            BuildEvent::Output(output) => text.push_str(&output),
            BuildEvent::Trace(trace) => {
                traces += 1;
                for output in trace.output {
                    text.push_str(&String::from_utf8_lossy(&output.bytes));
                }
            }
            _ => {}
        }
    }
    assert!(build.image().is_some(), "no image was named: {text}");
    Ok((text, traces))
}

async fn output(live: &Live, context: Vec<u8>, options: &BuildOptions) -> Result<String> {
    Ok(read(live.images().build_with(context, options).await?).await?.0)
}

async fn a_tar_becomes_an_image_that_runs(live: Live) -> Outcome {
    let dockerfile = "FROM busybox:latest\nARG WORD\nRUN echo $WORD >/word\nCOPY a /a\nCMD cat /word /a\n";
    let options = live.build_options().build_arg("WORD", "hello").label("color", "blue").dockerfile("Dockerfile");
    let second = live.image_name();
    // Nobody asks the registry; its credentials must do no harm.
    let auth = RegistryAuth::default().username("jane").password("x");
    let options = options.tag(&second).registry("localhost:1", auth);
    let image = live.images().build_with(context(dockerfile), &options).await?.finish().await?;
    let id = image.inspect().await?.id.clone();
    for name in &options.tags {
        let inspect = live.image(name).inspect().await?;
        assert_eq!(inspect.id, id);
        let labels = &inspect.config.as_ref().ok_or("a config")?.labels;
        assert_eq!(labels.get("color").map(String::as_str), Some("blue"));
        assert!(labels.contains_key(LABEL));
    }
    let out = live.containers().output(live.labelled(Spec::image(&second)).network("host")).await?;
    assert!(out.stdout == "hello\nfrom the context\n", "{out:?}");
    Ok(())
}

async fn a_build_stops_at_its_target(live: Live) -> Outcome {
    let dockerfile = "FROM busybox:latest AS first\nENV STAGE=first\nFROM busybox:latest AS second\nENV STAGE=second\n";
    let file = tar(&[Entry::folder("docker"), Entry::file("docker/other", dockerfile.as_bytes())]);
    for (target, stage) in [(Some("first"), "STAGE=first"), (None, "STAGE=second")] {
        let mut options = live.build_options().dockerfile("docker/other");
        options.target = target.map(str::to_owned);
        let image = live.images().build_with(file.clone(), &options).await?.finish().await?;
        let config = image.inspect().await?.config.clone().ok_or("a config")?;
        assert!(config.env.iter().any(|variable| variable == stage), "{config:?}");
    }
    Ok(())
}

async fn a_quiet_build_tells_only_its_image(live: Live) -> Outcome {
    for options in [live.build_options().quiet(), live.build_options().quiet().buildkit()] {
        let dockerfile = context("FROM busybox:latest\nRUN echo loud\n");
        let mut build = live.images().build_with(dockerfile, &options).await?;
        let event = build.next().await.ok_or("an event")??;
        assert!(matches!(event, BuildEvent::Output(text) if text.len() < 80));
        let image = build.finish().await?;
        let named = live.image(&options.tags[0]).inspect().await?;
        assert_eq!(named.id.trim_start_matches("sha256:"), image.name().trim_start_matches("sha256:"));
    }
    Ok(())
}

async fn buildkit_tells_its_steps(live: Live) -> Outcome {
    let name = live.name();
    let dockerfile = format!("FROM busybox:latest\nRUN echo hello {name}; echo oops >&2\n");
    let options = live.build_options().buildkit();
    let (text, traces) = read(live.images().build_with(context(&dockerfile), &options).await?).await?;
    assert!(text.contains(&format!("hello {name}\n")) && text.contains("oops"), "{text}");
    // Podman builds as ever.
    assert_eq!(traces > 0, !live.engine().is_podman(), "{traces} traces");
    // Another test may remove the cache meanwhile.
    for _ in 0..5 {
        let again = live.build_options().buildkit();
        let mut build = live.images().build_with(context(&dockerfile), &again).await?;
        let mut cached = false;
        while let Some(event) = build.next().await {
            if let BuildEvent::Trace(trace) = event? {
                let ran = trace.steps.iter().filter(|step| step.name.contains("RUN echo") && step.completed.is_some());
                cached |= ran.clone().any(|step| step.cached);
                assert!(ran.clone().all(|step| step.error.is_empty() && !step.inputs.is_empty()), "{trace:?}");
            }
        }
        if cached || live.engine().is_podman() {
            return Ok(());
        }
    }
    Err("no step was ever found in the cache".into())
}

async fn commands_run_as_the_options_say(live: Live) -> Outcome {
    let dockerfile = "FROM busybox:latest\nRUN df -k /dev/shm | tail -n 1; ls /sys/class/net\n";
    let options = live.build_options().no_cache().force_remove().network("none").shm_size(3 << 20);
    let options = options.memory(256 << 20).memory_swap(256 << 20).cpu_shares(512).cpuset_cpus("0").cpuset_mems("0");
    let options = options.cpu_quota(Duration::from_millis(50), Duration::from_millis(100)).platform("linux/amd64");
    let text = output(&live, context(dockerfile), &options).await?;
    assert!(text.contains(" 3072 ") && text.contains("lo\n") && !text.contains("eth0"), "{text}");
    Ok(())
}

async fn commands_have_their_limits(live: Live) -> Outcome {
    let options = live.build_options().no_cache().ulimit(Ulimit::new("nofile", 77, 77));
    let text = output(&live, context("FROM busybox:latest\nRUN echo files $(ulimit -n)\n"), &options).await?;
    assert!(text.contains("files 77\n"), "{text}");
    Ok(())
}

async fn hosts_are_known_to_commands(live: Live) -> Outcome {
    let options = live.build_options().no_cache().extra_host("faraway", "192.0.2.7");
    let text = output(&live, context("FROM busybox:latest\nRUN cat /etc/hosts\n"), &options).await?;
    assert!(text.contains("192.0.2.7\tfaraway"), "{text}");
    Ok(())
}

async fn the_cache_spares_steps_unless_it_is_turned_off(live: Live) -> Outcome {
    let dockerfile =
        context(&format!("FROM busybox:latest\nENV A={}\nRUN cat /proc/sys/kernel/random/uuid >/id\n", live.name()));
    let build = async |options: BuildOptions| {
        let image = live.images().build_with(dockerfile.clone(), &options).await?.finish().await?;
        Ok::<_, longshore::Error>(image.inspect().await?.root_fs.layers.clone())
    };
    let mut cached = live.build_options();
    cached.no_cache = false;
    let first = build(cached.clone()).await?;
    assert_eq!(build(cached).await?, first);
    assert_ne!(build(live.build_options().no_cache()).await?, first);
    Ok(())
}

async fn a_command_that_fails_fails_the_build(live: Live) -> Outcome {
    for options in [live.build_options(), live.build_options().buildkit()] {
        let dockerfile = context("FROM busybox:latest\nRUN exit 3\n");
        let build = live.images().build_with(dockerfile, &options.clone().force_remove()).await?;
        let error = refused(build.finish().await, &[ErrorKind::InStream]);
        assert_eq!((error.operation(), error.target()), ("build image", Some(options.tags[0].as_str())));
        let is_told = !options.buildkit && !live.engine().is_podman();
        assert_eq!(error.code(), is_told.then_some(3), "{error:?}");
        assert!(error.message().contains('3') && !error.message().ends_with('\n'), "{error:?}");
        assert_eq!(live.count_images(&options.tags[0]).await?, 0);
    }
    Ok(())
}

async fn what_is_no_context_is_refused(live: Live) -> Outcome {
    let kinds = [ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Server, ErrorKind::InStream];
    let whole = tar(&[Entry::file("Dockerfile", b"FROM busybox:latest\n"), Entry::file("a", &[b'x'; 100_000])]);
    for wrong in [
        tar(&[Entry::file("a", b"")]),
        context("WRONG instruction\n"),
        context(""),
        whole[..50_000].to_vec(),
        vec![b'x'; 2000],
    ] {
        let options = live.build_options();
        let outcome = match live.images().build_with(wrong, &options).await {
            Ok(build) => build.finish().await,
            Err(error) => Err(error),
        };
        refused(outcome, &kinds);
        assert_eq!(live.count_images(&options.tags[0]).await?, 0);
    }
    let options = live.build_options().tag("UPPER");
    refused(live.images().build_with(whole, &options).await, &[ErrorKind::Invalid]);
    Ok(())
}

/// A port that hardly any other test listens on: each engine has a network of its own.
fn port() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    20_000 + u64::from(now.subsec_nanos()) / 7 % 10_000
}

async fn a_remote_context_is_got_by_the_engine(live: Live) -> Outcome {
    // A server beside the engine, in its own network.
    let port = port();
    let server = live.create(live.spec(format!("httpd -f -p {port} -h /"))).await?;
    let served =
        tar(&[Entry::file("context.tar", &context("FROM busybox:latest\nRUN cat /proc/version; echo $((6*7))\n"))]);
    server.put_archive_with("/", served, &UploadOptions::default()).await?;
    server.start().await?;
    let address = format!("http://127.0.0.1:{port}/context.tar");
    let mut pause = Duration::from_millis(50);
    loop {
        let remote = BuildContext::remote(&address);
        match live.images().build_with(remote, &live.build_options().no_cache()).await {
            // The server may not listen yet.
            Err(error) if error.message().contains("refused") && pause < Duration::from_secs(5) => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            build => {
                let (text, _) = read(build?).await?;
                assert!(text.contains("42\n"), "{text}");
                return Ok(());
            }
        }
    }
}

async fn a_remote_context_that_can_not_be_had_is_an_error(live: Live) -> Outcome {
    let remote = BuildContext::remote("http://127.0.0.1:1/context.tar");
    let outcome = match live.images().build_with(remote, &live.build_options()).await {
        Ok(build) => build.finish().await,
        Err(error) => Err(error),
    };
    refused(outcome, &[ErrorKind::Invalid, ErrorKind::Server, ErrorKind::InStream]);
    Ok(())
}

async fn a_build_is_given_up_with_its_progress(live: Live) -> Outcome {
    let mark = live.name();
    let dockerfile = context(&format!("FROM busybox:latest\nRUN echo begun; sleep 1000; echo {mark}\n"));
    let running = async || {
        let all = live.containers().list().await?;
        Ok::<_, longshore::Error>(all.iter().any(|container| container.command.contains(&mark)))
    };
    let options = live.build_options().force_remove();
    let mut build = live.images().build_with(dockerfile, &options).await?;
    while let Some(event) = build.next().await {
        if matches!(event?, BuildEvent::Output(text) if text.contains("begun\n") && !text.contains("RUN")) {
            break;
        }
    }
    // The containers of Podman's builds are in no list.
    if !live.engine().is_podman() {
        until("the container of the build is listed as running", &running).await?;
    }
    drop(build);
    until("the container of the build has ended", || async { Ok(!running().await?) }).await?;
    assert_eq!(live.count_images(&options.tags[0]).await?, 0);
    Ok(())
}

async fn a_build_is_cancelled_by_its_id(live: Live) -> Outcome {
    let id = live.name();
    live.cancel_build(&id).await?;
    let dockerfile = context("FROM busybox:latest\nRUN echo begun; sleep 1000\n");
    let options = live.build_options().buildkit().no_cache().build_id(&id);
    let mut build = live.images().build_with(dockerfile, &options).await?;
    let outcome = loop {
        match build.next().await {
            Some(Ok(BuildEvent::Trace(trace))) if !trace.output.is_empty() => live.cancel_build(&id).await?,
            Some(Ok(_)) => {}
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    let error = refused(outcome, &[ErrorKind::InStream]);
    assert!(error.message().contains("cancel"), "{error}");
    Ok(())
}

async fn the_cache_of_builds_can_be_removed(live: Live) -> Outcome {
    // Another run of the tests may remove it first.
    for attempt in 0..10 {
        let dockerfile = format!("FROM busybox:latest\nRUN echo {} {attempt} >/a\n", live.name());
        let image = live.images().build_with(context(&dockerfile), &live.build_options().buildkit()).await?;
        let image = image.finish().await?;
        image.remove_with(&longshore::image::ImageRemoveOptions::default().force()).await?;
        let kept = live.prune_build_cache_with(&BuildPruneOptions::default().all().filter("until", "1000h")).await?;
        assert_eq!(kept.caches_deleted, [""; 0]);
        let kept = live.prune_build_cache_with(&BuildPruneOptions::default().all().reserved_space(1 << 50)).await?;
        assert_eq!(kept.caches_deleted, [""; 0]);
        let pruned = live.prune_build_cache_with(&BuildPruneOptions::default().all()).await?;
        if !pruned.caches_deleted.is_empty() {
            assert!(pruned.space_reclaimed > 0, "{pruned:?}");
            live.prune_build_cache().await?;
            return Ok(());
        }
    }
    Err("nothing was ever removed".into())
}

async fn an_unknown_filter_of_the_cache_is_refused(live: Live) -> Outcome {
    let options = BuildPruneOptions::default().filter("no-such-filter", 1);
    let nothing = BuildPruneOptions::default().filter("id", "nothing");
    assert_eq!(live.prune_build_cache_with(&nothing).await?.caches_deleted, [""; 0]);
    refused(live.prune_build_cache_with(&options).await, &[ErrorKind::Invalid]);
    Ok(())
}
