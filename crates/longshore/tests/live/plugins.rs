//! Plugins that the engine runs itself.

use longshore::plugin::{
    PluginDisableOptions, PluginEnableOptions, PluginListOptions, PluginPullOptions, PluginRemoveOptions,
};
use longshore::{Error, ErrorKind, Payload, Plugin};
use longshore_testkit::live::Live;
use serde_json::json;
use std::time::Duration;

use crate::harness::{Outcome, Test, test};
use crate::support::{Entry, refused, tar};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test(a_plugin_is_made_set_and_removed),
        #[cfg(target_arch = "x86_64")]
        test(a_plugin_is_switched_on_and_off),
        test(one_that_does_not_start_is_an_error),
        test(plugins_are_found_by_what_they_are),
        test(what_is_no_plugin_is_refused),
        test(a_registry_that_can_not_be_reached_is_an_error),
    ]
}

/// A tar of a plugin of a kind that no engine asks for anything. Engines don't take the same files twice, whatever the
/// plugin is called, so that each has one of its own.
fn archive(live: &Live, program: &[u8]) -> Vec<u8> {
    let config = json!({
        "description": "a test",
        "interface": {"types": ["longshore.test/1.0"], "socket": "test.sock"},
        "entrypoint": ["/program", "one"],
        "env": [{"name": "DEBUG", "description": "talk", "value": "0", "settable": ["value"]}],
        "mounts": [{"name": "data", "source": "/tmp", "destination": "/mnt", "type": "bind", "options": ["rbind"],
            "settable": ["source"]}],
        "linux": {"capabilities": ["CAP_SYS_ADMIN"], "devices": [
            {"name": "bin", "path": "/dev/null", "settable": ["path"]}]},
        "args": {"name": "args", "value": ["a"], "settable": ["value"]},
    });
    let config = config.to_string();
    let own = live.name();
    let program = Entry { mode: 0o755, ..Entry::file("rootfs/program", program) };
    tar(&[
        Entry::file("config.json", config.as_bytes()),
        Entry::folder("rootfs"),
        Entry::folder("rootfs/mnt"),
        Entry::file("rootfs/own", own.as_bytes()),
        program,
    ])
}

async fn make(live: &Live, program: &[u8]) -> Result<Plugin, Error> {
    live.plugins().create(&live.plugin_name(), archive(live, program)).await
}

async fn a_plugin_is_made_set_and_removed(live: Live) -> Outcome {
    let plugin = make(&live, b"").await?;
    let told = plugin.inspect().await?;
    assert_eq!(told.name, format!("{}:latest", plugin.name()));
    assert!(!told.enabled && told.id.len() == 64);
    assert_eq!(told.config.interface.types, ["longshore.test/1.0"]);
    assert_eq!((told.config.entrypoint.len(), told.config.root_fs.diff_ids.len()), (2, 1));
    assert_eq!(told.settings.env, ["DEBUG=0"]);
    assert_eq!(told["Config"]["Linux"]["Capabilities"][0], "CAP_SYS_ADMIN");

    plugin.set(["DEBUG=1", "data.source=/var", "bin.path=/dev/zero", "args=b c"]).await?;
    let settings = live.plugin(&told.id).inspect().await?.settings.clone();
    assert_eq!((settings.env, settings.args), (vec!["DEBUG=1".to_owned()], vec!["b".to_owned(), "c".to_owned()]));
    assert_eq!((settings.mounts[0].source.as_str(), settings.devices[0].path.as_str()), ("/var", "/dev/zero"));
    refused(plugin.set(["NO_SUCH=1"]).await, &[ErrorKind::Server]);
    refused(plugin.disable().await, &[ErrorKind::Conflict]);

    let again = live.plugins().create(plugin.name(), Payload::reader(std::io::Cursor::new(archive(&live, b"")))).await;
    refused(again, &[ErrorKind::Conflict]);
    plugin.remove().await?;
    refused(plugin.inspect().await, &[ErrorKind::NotFound]);
    refused(plugin.remove_with(&PluginRemoveOptions::default().force()).await, &[ErrorKind::NotFound]);
    Ok(())
}

/// The smallest program that is a plugin: it listens on the socket and waits for ever.
#[cfg(target_arch = "x86_64")]
fn listener() -> Vec<u8> {
    const ADDRESS: &[u8] = b"\x01\0/run/docker/plugins/test.sock\0";
    const CODE: &[u8] = &[
        0xb8, 41, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0xbe, 1, 0, 0, 0, 0x31, 0xd2, 0x0f,
        0x05, // socket(AF_UNIX, STREAM, 0)
        0x89, 0xc7, 0xb8, 49, 0, 0, 0, 0x48, 0x8d, 0x35, 28, 0, 0, 0, // bind(it, ADDRESS, …
        0xba, 0x20, 0, 0, 0, 0x0f, 0x05, // … length of ADDRESS)
        0xb8, 50, 0, 0, 0, 0xbe, 8, 0, 0, 0, 0x0f, 0x05, // listen(it, 8)
        0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7, // pause(), again and again
    ];
    assert_eq!(ADDRESS.len(), 0x20);
    let size = 64 + 56 + (CODE.len() + ADDRESS.len()) as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    for word in [0x0040_0000_u64 + 64 + 56, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    file.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [0, 0x0040_0000, 0x0040_0000, size, size, 0x1000] {
        file.extend(word.to_le_bytes());
    }
    file.extend(CODE);
    file.extend(ADDRESS);
    file
}

#[cfg(target_arch = "x86_64")]
async fn a_plugin_is_switched_on_and_off(live: Live) -> Outcome {
    let plugin = make(&live, &listener()).await?;
    plugin.enable_with(&PluginEnableOptions::default().timeout(Duration::from_secs(5))).await?;
    assert!(plugin.inspect().await?.enabled);
    let running = PluginListOptions::default().filter("enabled", true);
    let found = live.plugins().list_with(&running).await?;
    assert!(found.iter().any(|found| found.name.starts_with(plugin.name())), "{found:?}");
    refused(plugin.enable().await, &[ErrorKind::Conflict]);
    refused(plugin.set(["DEBUG=1"]).await, &[ErrorKind::Conflict]);
    refused(plugin.upgrade("127.0.0.1:1/no/such:1", &[]).await, &[ErrorKind::Conflict]);
    refused(plugin.remove().await, &[ErrorKind::Conflict]);
    plugin.disable().await?;
    assert!(!plugin.inspect().await?.enabled);
    plugin.enable().await?;
    plugin.disable_with(&PluginDisableOptions::default().force()).await?;
    plugin.enable().await?;
    plugin.remove_with(&PluginRemoveOptions::default().force()).await?;
    refused(plugin.inspect().await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn one_that_does_not_start_is_an_error(live: Live) -> Outcome {
    let plugin = make(&live, b"no program").await?;
    let error = refused(plugin.enable().await, &[ErrorKind::Server]);
    assert_eq!(error.operation(), "enable plugin");
    assert!(!plugin.inspect().await?.enabled);
    Ok(())
}

async fn plugins_are_found_by_what_they_are(live: Live) -> Outcome {
    let plugin = make(&live, b"").await?;
    let name = format!("{}:latest", plugin.name());
    let is_there = async |options: &PluginListOptions| {
        Ok::<_, Error>(live.plugins().list_with(options).await?.iter().any(|found| found.name == name))
    };
    assert!(live.plugins().list().await?.iter().any(|found| found.name == name));
    assert!(is_there(&PluginListOptions::default().filter("enabled", false)).await?);
    assert!(!is_there(&PluginListOptions::default().filter("enabled", true)).await?);
    assert!(!is_there(&PluginListOptions::default().filter("capability", "volumedriver")).await?);
    refused(is_there(&PluginListOptions::default().filter("no-such", 1)).await, &[ErrorKind::Invalid]);
    Ok(())
}

async fn what_is_no_plugin_is_refused(live: Live) -> Outcome {
    live.plugins().list().await?;
    refused(live.plugins().create(&live.plugin_name(), "nonsense").await, &[ErrorKind::Server]);
    for bad in ["", "UPPER", "a b"] {
        refused(live.plugins().create(bad, "").await, &[ErrorKind::Invalid]);
        refused(live.plugins().pull(bad, &[]).await, &[ErrorKind::Invalid]);
        refused(live.plugins().privileges(bad).await, &[ErrorKind::Invalid]);
    }
    let missing = live.plugin(live.plugin_name());
    refused(missing.enable().await, &[ErrorKind::NotFound]);
    refused(missing.disable().await, &[ErrorKind::NotFound]);
    refused(missing.set(["A=1"]).await, &[ErrorKind::NotFound]);
    refused(missing.push().await, &[ErrorKind::NotFound]);
    refused(missing.upgrade("127.0.0.1:1/a/b:1", &[]).await, &[ErrorKind::NotFound]);
    Ok(())
}

async fn a_registry_that_can_not_be_reached_is_an_error(live: Live) -> Outcome {
    const REMOTE: &str = "127.0.0.1:1/no/such:1";
    assert!(live.plugins().privileges(REMOTE).await?.is_empty());
    let named = PluginPullOptions::default().name(live.plugin_name());
    for outcome in [live.plugins().pull(REMOTE, &[]).await, live.plugins().pull_with(REMOTE, &[], &named).await] {
        let error = refused(outcome, &[ErrorKind::Server]);
        assert!(error.message().contains("connection refused"), "{error}");
    }
    let plugin = make(&live, b"").await?;
    let upgrade = refused(plugin.upgrade(REMOTE, &[]).await, &[ErrorKind::Server]);
    assert!(upgrade.message().contains("connection refused"), "{upgrade}");

    // Its name leads to the port of nobody.
    let far = format!("127.0.0.1:1/{}", live.plugin_name());
    let far = live.plugins().create(&far, archive(&live, b"")).await?;
    let mut push = far.push().await?;
    let first = push.next().await.expect("a message")?;
    let outcome = push.finish().await;
    far.remove().await?;
    assert!(first.status.starts_with("The push refers to repository"), "{first:?}");
    let error = refused(outcome, &[ErrorKind::InStream]);
    assert!(error.message().contains("connection refused"), "{error}");
    Ok(())
}
