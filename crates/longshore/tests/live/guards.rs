//! Guards: whatever ends a program, nothing is left behind.

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use longshore::container::CommitOptions;
use longshore::guard::{Guard, Owner};
use longshore::network::NetworkListOptions;
use longshore::volume::VolumeListOptions;
use longshore::{
    Container, Deadlines, Docker, ErrorKind, Image, Mount, Network, NetworkSpec, Spec, Volume, VolumeSpec, guard,
};
use longshore_testkit::live::{IMAGE, Live};
use longshore_testkit::{poll_n, tally};

use crate::harness::{Outcome, Test, test, test_within};
use crate::process::{Work, begin};
use crate::support::refused;

pub(crate) fn tests() -> Vec<Test> {
    let long = Duration::from_secs(240);
    vec![
        test_within(long, what_is_cancelled_leaves_nothing),
        test_within(long, what_a_killed_process_left_is_reaped),
        test_within(long, what_is_dropped_is_removed_in_any_order),
        test(a_panic_leaves_nothing),
        test(a_process_that_ends_leaves_nothing),
        test(a_signal_leaves_nothing),
        test(a_thing_that_is_guarded_later_is_the_same_one),
        test(a_volume_that_was_there_before_is_not_taken),
        test(an_output_that_is_cancelled_leaves_nothing),
    ]
}

/// Guards what it is told to by lines, tells their ids, and waits for its end.
pub(crate) const WORK: Work = ("guard things", |given| Box::pin(guard_things(given)));

/// One thing of each kind: a container in a network with a volume, and an image of it.
struct Things {
    network: Guard<Network>,
    volume: Guard<Volume>,
    container: Guard<Container>,
    image: Guard<Image>,
}

/// How to make them so that they are found when the test has ended.
struct Plan {
    network: NetworkSpec,
    volume: VolumeSpec,
    container: Spec,
    image: String,
}

impl Plan {
    fn new(live: &Live) -> Plan {
        let (network, volume) = (live.network_spec().internal(), live.volume_spec());
        let mount = Mount::volume(&volume.config.name, "/data");
        let container = live.connected_spec("sleep 1000").network(&network.config.name).mount(mount);
        Plan { network, volume, container, image: live.image_name() }
    }

    async fn carry_out(&self, owner: &Owner) -> longshore::Result<Things> {
        let network = owner.create_network(&self.network).await?;
        let volume = owner.create_volume(&self.volume).await?;
        let container = owner.run(self.container.clone()).await?;
        let options = CommitOptions::default().repository(&self.image).without_pause();
        let image = owner.commit(&container, &options).await?;
        Ok(Things { network, volume, container, image })
    }

    /// What there is of it.
    async fn left(&self, live: &Live) -> longshore::Result<Vec<String>> {
        let mut left = live.existing().await?;
        let networks = NetworkListOptions::default().filter("label", live.label());
        left.extend(live.networks().list_with(&networks).await?.into_iter().map(|network| network.name));
        let volumes = VolumeListOptions::default().filter("label", live.label());
        left.extend(live.volumes().list_with(&volumes).await?.volumes.into_iter().map(|volume| volume.name));
        match live.image(&self.image).inspect().await {
            Ok(_) => left.push(self.image.clone()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        Ok(left)
    }
}

/// Counts things that were guarded, those of them that were removed, as `what` tells, and those that were not.
fn count(guarded: usize, what: &str, left: usize) {
    tally("guards", "things guarded", guarded as u64);
    tally("guards", what, (guarded - left) as u64);
    tally("guards", "left behind", left as u64);
}

const NOTHING: [&str; 0] = [];

/// What is removed is what the tests are about, not how soon an engine does so that has much else to do.
fn patient_owner(live: &Live, name: &str) -> Owner {
    live.owner(name).within(Duration::from_secs(40))
}

async fn what_is_dropped_is_removed_in_any_order(live: Live) -> Outcome {
    let owner = patient_owner(&live, &live.name());
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [1, 3, 0, 2]] {
        let plan = Plan::new(&live);
        let Things { network, volume, container, image } = plan.carry_out(&owner).await?;
        assert_eq!(plan.left(&live).await?.len(), 4);
        let (mut network, mut volume) = (Some(network), Some(volume));
        let (mut container, mut image) = (Some(container), Some(image));
        for which in order {
            match which {
                0 => drop(network.take()),
                1 => drop(volume.take()),
                2 => drop(image.take()),
                _ => drop(container.take()),
            }
        }
        let left = plan.left(&live).await?;
        count(4, "removed on drop", left.len());
        assert_eq!(left, NOTHING, "{order:?}");
    }
    Ok(())
}

async fn a_panic_leaves_nothing(live: Live) -> Outcome {
    let owner = patient_owner(&live, &live.name());
    let plan = Plan::new(&live);
    let things = plan.carry_out(&owner).await?;
    let panicking = std::thread::spawn(move || {
        let _things = things;
        // The message is not printed, since it is meant to be.
        std::panic::resume_unwind(Box::new("this is meant to be"));
    });
    let ended = tokio::task::spawn_blocking(move || panicking.join()).await?;
    assert!(ended.is_err());
    let left = plan.left(&live).await?;
    count(4, "removed after a panic", left.len());
    assert_eq!(left, NOTHING);
    Ok(())
}

/// How many times the work is cancelled after a part of the time that it takes.
const PARTS: u32 = 16;

async fn what_is_cancelled_leaves_nothing(live: Live) -> Outcome {
    let owner = patient_owner(&live, &live.name());
    let begun = Instant::now();
    Plan::new(&live).carry_out(&owner).await?;
    let whole = begun.elapsed();
    for part in 1..=PARTS {
        let plan = Plan::new(&live);
        let limit = whole * part / PARTS;
        let cancelled = tokio::time::timeout(limit, plan.carry_out(&owner)).await.is_err();
        check_cancelled(&live, &plan, cancelled, &format!("after {limit:?}")).await?;
    }
    for polls in 1.. {
        let plan = Plan::new(&live);
        let outcome = poll_n(plan.carry_out(&owner), polls).await;
        let cancelled = outcome.is_none();
        drop(outcome.transpose()?);
        check_cancelled(&live, &plan, cancelled, &format!("after {polls} polls")).await?;
        if !cancelled {
            assert!(polls > 5, "{polls}");
            break;
        }
    }
    Ok(())
}

async fn check_cancelled(live: &Live, plan: &Plan, cancelled: bool, when: &str) -> Outcome {
    let left = plan.left(live).await?;
    // How far it got is not known: what was under way counts for one.
    count(1.max(left.len()), if cancelled { "removed after cancellation" } else { "removed on drop" }, left.len());
    assert_eq!(left, NOTHING, "{when}");
    Ok(())
}

async fn an_output_that_is_cancelled_leaves_nothing(live: Live) -> Outcome {
    let owner = patient_owner(&live, &live.name());
    let out = owner.output(live.spec("echo hi")).await?;
    assert!(out.status.success() && out.stdout == "hi\n", "{out:?}");
    for millis in [20, 100, 500] {
        let running = owner.output(live.spec("sleep 1000"));
        assert!(tokio::time::timeout(Duration::from_millis(millis), running).await.is_err());
        let left = live.existing().await?;
        count(1, "removed after cancellation", left.len());
        assert_eq!(left, NOTHING);
    }
    refused(
        owner.output(live.spec("/no/such/command")).await,
        &[ErrorKind::Invalid, ErrorKind::NotFound, ErrorKind::Server, ErrorKind::Conflict],
    );
    assert_eq!(live.existing().await?, NOTHING);
    Ok(())
}

async fn a_thing_that_is_guarded_later_is_the_same_one(live: Live) -> Outcome {
    let spec = live.spec("sleep 1000");
    let name = spec.name.clone().unwrap_or_default();
    let first = live.create(spec.clone()).await?;
    let guard = live.container(&name).guard().await?;
    assert_eq!(guard.id(), first.id());
    first.remove().await?;
    let second = live.create(spec).await?;
    drop(guard);
    assert_eq!(live.existing().await?, [name]);
    drop(second.guard());
    assert_eq!(live.existing().await?, NOTHING);

    drop(live.containers().run(live.spec("sleep 1000")).await?.guard());
    let network = live.networks().create(&live.network_spec().internal()).await?.guard();
    let volume = live.volumes().create(&live.volume_spec()).await?.guard().await?;
    let plan = Plan::new(&live);
    assert_eq!(plan.left(&live).await?.len(), 2);
    drop((network, volume));
    assert_eq!(plan.left(&live).await?, NOTHING);
    Ok(())
}

async fn a_volume_that_was_there_before_is_not_taken(live: Live) -> Outcome {
    let spec = live.volume_spec();
    let precious = live.volumes().create(&spec).await?;
    let owner = patient_owner(&live, &live.name());
    // Podman refuses it by itself.
    refused(owner.create_volume(&spec).await, &[ErrorKind::Conflict, ErrorKind::Server]);
    assert_eq!(precious.volume.inspect().await?.name, spec.config.name);
    Ok(())
}

async fn what_a_killed_process_left_is_reaped(live: Live) -> Outcome {
    let (ours, other) = (live.name(), live.name());
    let (mine, theirs, others) = (Plan::new(&live), Plan::new(&live), Plan::new(&live));
    let owner = patient_owner(&live, &ours);
    let own = mine.carry_out(&owner).await?;
    let (mut killed, id) = begin(WORK, &words(&live, &ours, &theirs, "wait")).await?;
    let (mut of_other, _) = begin(WORK, &words(&live, &other, &others, "wait")).await?;

    // An image that somebody has made of a guarded container passes its labels on to what is made of it.
    let image = live.image_name();
    live.container(&id).commit_with(&CommitOptions::default().repository(&image).without_pause()).await?;
    let heir = live.create(live.labelled(Spec::image(&image)).cmd("true").name(live.name()).network("host")).await?;
    assert!(heir.inspect().await?.config.labels.contains_key("longshore.guard"));
    let unlabelled = live.create(live.spec("true")).await?;

    assert!(owner.reap().await?.is_empty(), "both processes live");
    killed.kill().await?;
    of_other.kill().await?;
    // Three things of each kind but for images, of which one is looked for, and two containers more.
    assert_eq!(theirs.left(&live).await?.len(), 3 * 3 + 1 + 2);
    let removed = owner.reap().await?;
    assert!(removed.failures.is_empty(), "{removed:?}");
    let names = (removed.containers, removed.networks.len(), removed.volumes, removed.images);
    assert_eq!(names, (vec![id], 1, vec![theirs.volume.config.name.clone()], vec![format!("{}:latest", theirs.image)]));
    tally("guards", "things guarded", 4);
    tally("guards", "reaped after a kill", 4);
    assert!(owner.reap().await?.is_empty());

    for container in [&own.container, &heir.container, &unlabelled.container] {
        container.inspect().await?;
    }
    for image in [&mine.image, &others.image, &image] {
        live.image(image).inspect().await?;
    }
    own.network.inspect().await?;
    own.volume.inspect().await?;
    drop(own);
    assert_eq!(live.owner(other).reap().await?.len(), 4);
    heir.remove().await?;
    unlabelled.remove().await?;
    let left = theirs.left(&live).await?;
    count(8, "removed on drop", left.len());
    assert_eq!(left, NOTHING);
    Ok(())
}

async fn a_process_that_ends_leaves_nothing(live: Live) -> Outcome {
    let plan = Plan::new(&live);
    let (mut process, _) = begin(WORK, &words(&live, &live.name(), &plan, "end")).await?;
    let ended = process.wait().await?;
    assert!(ended.success(), "{ended}");
    let left = plan.left(&live).await?;
    count(4, "removed on drop", left.len());
    assert_eq!(left, NOTHING);
    Ok(())
}

async fn a_signal_leaves_nothing(live: Live) -> Outcome {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let plan = Plan::new(&live);
        let (mut process, _) = begin(WORK, &words(&live, &live.name(), &plan, "exit on signals")).await?;
        assert_eq!(plan.left(&live).await?.len(), 4);
        let number = process.id().unwrap_or_default().to_string();
        let sent = tokio::process::Command::new("kill").args(["-s", signal, &number]).status().await?;
        assert!(sent.success());
        let ended = process.wait().await?;
        assert_eq!(ended.code(), Some(code), "{ended}");
        let left = plan.left(&live).await?;
        count(4, "removed after a signal", left.len());
        assert_eq!(left, NOTHING, "{signal}");
    }
    Ok(())
}

/// What the work is given.
fn words<'a>(live: &'a Live, owner: &'a str, plan: &'a Plan, then: &'a str) -> Vec<&'a str> {
    let labels = plan.network.config.labels.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    let names = [&plan.network.config.name, &plan.volume.config.name, &plan.image].map(String::as_str);
    let container = plan.container.name.as_deref().unwrap_or_default();
    [live.engine().host(), owner, then, container].into_iter().chain(names).chain(labels).collect()
}

async fn guard_things(given: &[&str]) -> Result<String, Box<dyn Error + Send + Sync>> {
    let &[host, owner, then, container, network, volume, image, ref labels @ ..] = given else {
        return Err(format!("{given:?}").into());
    };
    let mut plan = Plan {
        network: NetworkSpec::new(network).internal(),
        volume: VolumeSpec::new(volume),
        container: Spec::image(IMAGE)
            .cmd("sleep 1000")
            .name(container)
            .network(network)
            .mount(Mount::volume(volume, "/data")),
        image: image.to_owned(),
    };
    for pair in labels.chunks_exact(2) {
        plan.network = plan.network.label(pair[0], pair[1]);
        plan.volume = plan.volume.label(pair[0], pair[1]);
        plan.container = plan.container.label(pair[0], pair[1]);
    }
    let docker = Docker::connect_to(host)?.with_deadlines(Deadlines::default().total(Duration::from_secs(60)));
    if then == "exit on signals" {
        guard::exit_on_signals()?;
    }
    let things = plan.carry_out(&docker.owner(owner)).await?;
    println!("{}", things.container.id());
    std::io::stdout().flush()?;
    if then == "end" {
        // Nothing comes after the drops but the end of the process.
        drop(things);
        std::process::exit(0);
    }
    // The runtime's only thread does not wait for anything that a signal could end.
    std::thread::sleep(Duration::from_secs(600));
    drop(things);
    Err("nothing has ended this process".into())
}
