//! Networks: making, connecting, removing them.

use std::time::{Duration, SystemTime};

use longshore::models::{IpamConfig, Scope};
use longshore::network::{DisconnectOptions, NetworkInspectOptions, NetworkListOptions, NetworkPruneOptions};
use longshore::{EndpointSettings, ErrorKind, NetworkSpec};
use longshore_testkit::live::Live;

use crate::harness::{Outcome, Test, test};
use crate::support::{refused, text_of};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_network_is_as_it_was_asked_for),
        test(containers_are_connected_and_disconnected),
        test(networks_are_found_by_what_they_are),
        test(those_that_nobody_uses_are_pruned),
        test(what_can_not_be_is_refused),
    ]
}

async fn a_network_is_as_it_was_asked_for(live: Live) -> Outcome {
    let pool = IpamConfig::new("10.201.7.0/24".parse()?).gateway(std::net::Ipv4Addr::new(10, 201, 7, 9));
    let spec = live.network_spec().internal().pool(pool).label("team", "core");
    let network = live.networks().create(&spec).await?;
    let told = network.inspect().await?;
    assert_eq!((told.id.as_str(), told.driver.as_str(), &told.scope), (network.id(), "bridge", &Scope::Local));
    assert!(told.internal && !told.ingress && !told.config_only && told.labels["team"] == "core");
    let [pool] = told.ipam.config.as_slice() else { panic!("{:?}", told.ipam) };
    assert_eq!((pool.subnet.as_str(), pool.gateway.as_str()), ("10.201.7.0/24", "10.201.7.9"));
    assert!(told.containers.is_empty());
    let age = SystemTime::now().duration_since(told.created.to_system_time().expect("a date"));
    assert!(age.is_ok_and(|age| age < Duration::from_secs(60)), "{}", told.created);
    let again = live.network(&told.name).inspect_with(&NetworkInspectOptions::default().verbose()).await?;
    assert_eq!(again.id, told.id);
    network.remove().await?;
    refused(network.inspect().await, &[ErrorKind::NotFound]);
    refused(network.remove().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn containers_are_connected_and_disconnected(live: Live) -> Outcome {
    let network = live.networks().create(&live.network_spec().internal().subnet("10.201.8.0/24")?).await?;
    let told = network.inspect().await?;
    let elsewhere = live.networks().create(&live.network_spec().internal()).await?.inspect().await?;
    let serve = live.connected_spec(["sh", "-c", "echo pong > /index.html; httpd -f -p 80"]).network(&told.name);
    let server = live.start(serve).await?;
    let client = live.start(live.connected_spec("sleep 1000").network(&elsewhere.name)).await?;
    let settings = EndpointSettings::default().alias("visitor").ipv4_address("10.201.8.77");
    network.connect_with(client.id(), &settings).await?;
    let told = network.inspect().await?;
    assert_eq!(told.containers.len(), 2);
    assert_eq!(told.containers[client.id()].ipv4_address, "10.201.8.77/24");
    let inside = client.inspect().await?;
    assert!(inside.network_settings.networks[&told.name].aliases.iter().any(|alias| alias == "visitor"));
    let host = server.inspect().await?.name().to_owned();
    assert_eq!(text_of(&client, &format!("wget -qO- http://{host}/")).await?, "pong\n");

    // Podman connects again, and disconnects what is in the way of a removal.
    if !live.engine().is_podman() {
        refused(network.connect(client.id()).await, &[ErrorKind::Conflict]);
        refused(network.remove().await, &[ErrorKind::Conflict]);
    }
    network.disconnect(client.id()).await?;
    refused(network.disconnect(client.id()).await, &[ErrorKind::Conflict]);
    network.disconnect_with(server.id(), &DisconnectOptions::default().force()).await?;
    assert!(network.inspect().await?.containers.is_empty());
    network.remove().await?;
    Ok(())
}

async fn networks_are_found_by_what_they_are(live: Live) -> Outcome {
    let network = live.networks().create(&live.network_spec().label("color", "blue")).await?;
    let name = network.inspect().await?.name.clone();
    let found = |key: &'static str, value: String| {
        let live = &live;
        async move {
            let options = NetworkListOptions::default().filter("label", live.label()).filter(key, value);
            live.networks().list_with(&options).await.map(|found| found.len())
        }
    };
    assert_eq!(found("name", name).await?, 1);
    assert_eq!(found("label", "color=blue".to_owned()).await?, 1);
    assert_eq!(found("driver", "macvlan".to_owned()).await?, 0);
    assert_eq!(found("id", network.id().to_owned()).await?, 1);
    assert!(live.networks().list().await?.iter().any(|listed| listed.id == network.id()));
    let unknown = NetworkListOptions::default().filter("color", "blue");
    refused(live.networks().list_with(&unknown).await, &[ErrorKind::Invalid, ErrorKind::Server]);
    Ok(())
}

async fn those_that_nobody_uses_are_pruned(live: Live) -> Outcome {
    let unused = live.network_spec().label("color", "blue");
    let name = unused.config.name.clone();
    let unused = live.networks().create(&unused).await?;
    let ours = NetworkPruneOptions::default().label(live.label());
    let old = ours.clone().until(SystemTime::now() - Duration::from_secs(3600));
    let other = ours.clone().filter("label", "color=red");
    for options in [old, other] {
        assert!(prune(&live, &options).await?.is_empty(), "{options:?}");
    }
    assert_eq!(prune(&live, &ours).await?, [name]);
    refused(unused.inspect().await, &[ErrorKind::NotFound]);
    Ok(())
}

/// Prunes among the networks of the test. Engines refuse to prune twice at a time, and Podman fails when a container goes
/// away meanwhile.
async fn prune(live: &Live, options: &NetworkPruneOptions) -> longshore::Result<Vec<String>> {
    loop {
        match live.networks().prune_with(options).await {
            Err(error) if error.is_conflict() || error.message().contains("no such container") => {
                tokio::time::sleep(Duration::from_millis(50)).await
            }
            outcome => return outcome.map(|pruned| pruned.networks_deleted),
        }
    }
}

async fn what_can_not_be_is_refused(live: Live) -> Outcome {
    refused(live.network("no such network").inspect().await, &[ErrorKind::NotFound]);
    refused(live.network("").inspect().await, &[ErrorKind::Invalid]);
    refused(live.networks().create(&NetworkSpec::new("")).await, &[ErrorKind::Invalid]);
    let spec = live.network_spec();
    live.networks().create(&spec).await?;
    refused(live.networks().create(&spec).await, &[ErrorKind::Conflict]);
    let taken = live.networks().create(&live.network_spec().subnet("10.201.9.0/24")?).await?;
    let overlapping = live.network_spec().subnet("10.201.9.0/25")?;
    refused(live.networks().create(&overlapping).await, &[ErrorKind::Conflict]);
    refused(taken.connect("no-such-container").await, &[ErrorKind::NotFound]);
    refused(taken.connect("").await, &[ErrorKind::Invalid]);
    Ok(())
}
