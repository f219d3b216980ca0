//! Plugins.

use longshore::plugin::{PluginProgress, PluginPushProgress};
use longshore::{Plugin, Plugins};

use super::{Transcript, calls, shown, streamed};

pub(super) fn all() -> Vec<Transcript> {
    [collection(), lifecycle(), transfers()].concat()
}

fn collection() -> Vec<Transcript> {
    let list = ("GET /plugins", r#"[{"Name":"a/b:1"}]"#);
    let privileges = ("GET /plugins/privileges?remote=a%2Fb", r#"[{"Name":"network","Value":["host"]}]"#);
    vec![
        calls("every list of plugins", &[list, list], "1 1", |docker| {
            Box::pin(async move {
                let plugins = docker.plugins();
                let plain = Plugins::list(&plugins).await?;
                shown(&[&plain.len(), &Plugins::list_with(&plugins, &Default::default()).await?.len()])
            })
        }),
        calls("every look at what a plugin may do", &[privileges, privileges], "1 1", |docker| {
            Box::pin(async move {
                let plugins = docker.plugins();
                let plain = Plugins::privileges(&plugins, "a/b").await?;
                let other = Plugins::privileges_with(&plugins, "a/b", &Default::default()).await?;
                shown(&[&plain.len(), &other.len()])
            })
        }),
        calls(
            "a plugin made and looked at",
            &[("POST /plugins/create?name=driver", ""), ("GET /plugins/driver/json", r#"{"Name":"driver:latest"}"#)],
            r#""driver" "driver:latest""#,
            |docker| {
                Box::pin(async move {
                    let plugin = Plugins::create(&docker.plugins(), "driver", "tar").await?;
                    shown(&[&plugin.name(), &Plugin::inspect(&plugin).await?.name])
                })
            },
        ),
    ]
}

fn lifecycle() -> Vec<Transcript> {
    let enable = ("POST /plugins/a/enable?timeout=0", "");
    let disable = ("POST /plugins/a/disable", "");
    let remove = ("DELETE /plugins/a", r#"{"Name":"a:latest"}"#);
    vec![
        calls("every switch of a plugin", &[enable, enable, disable, disable], "() () () ()", |docker| {
            Box::pin(async move {
                let plugin = docker.plugin("a");
                let plain = Plugin::enable(&plugin).await?;
                let other = Plugin::enable_with(&plugin, &Default::default()).await?;
                let off = Plugin::disable(&plugin).await?;
                shown(&[&plain, &other, &off, &Plugin::disable_with(&plugin, &Default::default()).await?])
            })
        }),
        calls(
            "a plugin's settings, and every removal",
            &[("POST /plugins/a/set", ""), remove, remove],
            "() () ()",
            |docker| {
                Box::pin(async move {
                    let plugin = docker.plugin("a");
                    let set = Plugin::set(&plugin, ["DEBUG=1"]).await?;
                    let plain = Plugin::remove(&plugin).await?;
                    shown(&[&set, &plain, &Plugin::remove_with(&plugin, &Default::default()).await?])
                })
            },
        ),
    ]
}

fn transfers() -> Vec<Transcript> {
    let told = "{\"status\":\"Pulling\"}\r\n{\"status\":\"Complete\"}\r\n";
    let pull = ("POST /plugins/pull?remote=a%2Fb", told);
    let upgrade = ("POST /plugins/c/upgrade?remote=a%2Fb", told);
    let push = ("POST /plugins/c/push", told);
    vec![
        calls("every pull of a plugin", &[pull, pull], r#"1 2"#, |docker| {
            Box::pin(async move {
                let plugins = docker.plugins();
                let mut plain = Plugins::pull(&plugins, "a/b", &[]).await?;
                let first = PluginProgress::next(&mut plain).await.transpose()?;
                PluginProgress::finish(plain).await?;
                let other = Plugins::pull_with(&plugins, "a/b", &[], &Default::default()).await?;
                shown(&[&first.iter().len(), &streamed::<PluginProgress, _>(other).await?.len()])
            })
        }),
        calls("every upgrade of a plugin", &[upgrade, upgrade], r#""c" 2"#, |docker| {
            Box::pin(async move {
                let plugin = docker.plugin("c");
                let plain = PluginProgress::finish(Plugin::upgrade(&plugin, "a/b", &[]).await?).await?;
                let other = Plugin::upgrade_with(&plugin, "a/b", &[], &Default::default()).await?;
                shown(&[&plain.name(), &streamed::<PluginProgress, _>(other).await?.len()])
            })
        }),
        calls("every push of a plugin", &[push, push], "1 () 2", |docker| {
            Box::pin(async move {
                let plugin = docker.plugin("c");
                let mut plain = Plugin::push(&plugin).await?;
                let first = PluginPushProgress::next(&mut plain).await.transpose()?;
                let done = PluginPushProgress::finish(plain).await?;
                let other = Plugin::push_with(&plugin, &Default::default()).await?;
                shown(&[&first.iter().len(), &done, &streamed::<PluginPushProgress, _>(other).await?.len()])
            })
        }),
    ]
}
