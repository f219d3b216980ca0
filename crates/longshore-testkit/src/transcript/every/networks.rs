//! Networks and volumes.

use longshore::{EndpointSettings, Network, NetworkSpec, Networks, Volume, VolumeSpec, Volumes};

use super::{Transcript, calls, shown};

pub(super) fn all() -> Vec<Transcript> {
    [networks(), volumes()].concat()
}

fn networks() -> Vec<Transcript> {
    let list = ("GET /networks", r#"[{"Name":"backend"},{"Name":"host"}]"#);
    let inspect = ("GET /networks/backend", r#"{"Name":"backend","Scope":"local"}"#);
    let prune = ("POST /networks/prune", r#"{"NetworksDeleted":["a","b"]}"#);
    let connect = ("POST /networks/backend/connect", "");
    let disconnect = ("POST /networks/backend/disconnect", "");
    vec![
        calls("every list of networks", &[list, list], "2 2", |docker| {
            Box::pin(async move {
                let networks = docker.networks();
                let plain = Networks::list(&networks).await?;
                shown(&[&plain.len(), &Networks::list_with(&networks, &Default::default()).await?.len()])
            })
        }),
        calls("every look at a network", &[inspect, inspect], r#""backend" Local"#, |docker| {
            Box::pin(async move {
                let network = docker.network("backend");
                let plain = Network::inspect(&network).await?;
                shown(&[&plain.name, &Network::inspect_with(&network, &Default::default()).await?.scope])
            })
        }),
        calls("every prune of networks", &[prune, prune], "2 2", |docker| {
            Box::pin(async move {
                let networks = docker.networks();
                let plain = Networks::prune(&networks).await?;
                let other = Networks::prune_with(&networks, &Default::default()).await?;
                shown(&[&plain.networks_deleted.len(), &other.networks_deleted.len()])
            })
        }),
        calls(
            "a network made and removed",
            &[("POST /networks/create", r#"{"Id":"n1"}"#), ("DELETE /networks/n1", "")],
            r#""n1" ()"#,
            |docker| {
                Box::pin(async move {
                    let network = Networks::create(&docker.networks(), &NetworkSpec::new("backend")).await?;
                    shown(&[&network.id(), &Network::remove(&network).await?])
                })
            },
        ),
        calls(
            "every way into a network and out of it",
            &[connect, connect, disconnect, disconnect],
            "() () () ()",
            |docker| {
                Box::pin(async move {
                    let network = docker.network("backend");
                    let plain = Network::connect(&network, "web").await?;
                    let other = Network::connect_with(&network, "web", &EndpointSettings::default()).await?;
                    let out = Network::disconnect(&network, "web").await?;
                    shown(&[
                        &plain,
                        &other,
                        &out,
                        &Network::disconnect_with(&network, "web", &Default::default()).await?,
                    ])
                })
            },
        ),
    ]
}

fn volumes() -> Vec<Transcript> {
    let list = ("GET /volumes", r#"{"Volumes":[{"Name":"data"},{"Name":"more"}],"Warnings":null}"#);
    // Before API 1.42 only volumes without a name were removed.
    let prune = ("POST /volumes/prune", r#"{"VolumesDeleted":["a"],"SpaceReclaimed":7}"#);
    let remove = ("DELETE /volumes/data", "");
    let named = r#"{"Name":"v1","ClusterVolume":{"ID":"c1","Version":{"Index":6}}}"#;
    let cluster = r#"{"Name":"v1","ClusterVolume":{"ID":"c1","Version":{"Index":7},"Spec":{"Availability":"active"}}}"#;
    vec![
        calls("every list of volumes", &[list, list], "2 2", |docker| {
            Box::pin(async move {
                let volumes = docker.volumes();
                let plain = Volumes::list(&volumes).await?;
                let other = Volumes::list_with(&volumes, &Default::default()).await?;
                shown(&[&plain.volumes.len(), &other.volumes.len()])
            })
        }),
        calls("every prune of volumes", &[prune, prune], "7 7", |docker| {
            Box::pin(async move {
                let volumes = docker.volumes();
                let plain = Volumes::prune(&volumes).await?;
                let other = Volumes::prune_with(&volumes, &Default::default()).await?;
                shown(&[&plain.space_reclaimed, &other.space_reclaimed])
            })
        }),
        calls(
            "a volume made and looked at",
            &[
                ("POST /volumes/create", r#"{"Name":"data"}"#),
                ("GET /volumes/data", r#"{"Name":"data","Driver":"local"}"#),
            ],
            r#""data" "local""#,
            |docker| {
                Box::pin(async move {
                    let volume = Volumes::create(&docker.volumes(), &VolumeSpec::new("data")).await?;
                    shown(&[&volume.name(), &Volume::inspect(&volume).await?.driver])
                })
            },
        ),
        calls("every removal of a volume", &[remove, remove], "() ()", |docker| {
            Box::pin(async move {
                let volume = docker.volume("data");
                let plain = Volume::remove(&volume).await?;
                shown(&[&plain, &Volume::remove_with(&volume, &Default::default()).await?])
            })
        }),
        calls(
            "a change of a volume of the swarm",
            &[("GET /volumes/v1", named), ("GET /volumes/c1", cluster), ("PUT /volumes/c1?version=7", "")],
            "()",
            |docker| Box::pin(async move { shown(&[&Volume::update(&docker.volume("v1"), |_| {}).await?]) }),
        ),
    ]
}
