//! The cgroup of an engine: everything the engine starts lives in it, so it is also the list of the engine's processes.
//!
//! One folder per engine, directly under each mounted hierarchy. The engine gets a cgroup namespace rooted there
//! and mounts the hierarchies anew, so that it cannot see, let alone make, a cgroup outside. Both versions work
//! the same way.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::error::{Context, Error, Result};

/// A mounted cgroup hierarchy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    mount: PathBuf,
    /// The mount options that name a version 1 hierarchy; none for version 2.
    options: Option<String>,
}

/// The cgroup of one engine, in every hierarchy.
pub(crate) struct Cgroup {
    hierarchies: Vec<Hierarchy>,
    name: String,
}

impl Cgroup {
    /// Names the cgroup; it may or may not exist.
    pub(crate) fn new(name: String) -> Self {
        Self { hierarchies: hierarchies(), name }
    }

    /// The name of its folder.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The hierarchies as the boot script wants them: `MOUNTPOINT:OPTIONS` words.
    pub(crate) fn boot_words(&self) -> String {
        let words: Vec<String> = self
            .hierarchies
            .iter()
            .map(|hierarchy| {
                format!("{}:{}", hierarchy.mount.display(), hierarchy.options.as_deref().unwrap_or_default())
            })
            .collect();
        words.join(" ")
    }

    /// Makes the folders, ready for processes to enter.
    pub(crate) fn create(&self) -> Result<()> {
        for hierarchy in &self.hierarchies {
            let folder = hierarchy.mount.join(&self.name);
            fs::create_dir_all(&folder).context(|| format!("create the cgroup {}", folder.display()))?;
            if hierarchy.options.is_some() {
                // Nothing may enter a cpuset that has no processors and no memory nodes.
                for file in ["cpuset.cpus", "cpuset.mems"] {
                    if let Ok(value) = fs::read(hierarchy.mount.join(file)) {
                        fs::write(folder.join(file), value)
                            .context(|| format!("set {file} of {}", folder.display()))?;
                    }
                }
            } else {
                // A controller that the machine keeps for itself is one that containers do without.
                let control = hierarchy.mount.join("cgroup.subtree_control");
                let controllers = fs::read_to_string(hierarchy.mount.join("cgroup.controllers")).unwrap_or_default();
                for controller in controllers.split_whitespace() {
                    let _ = fs::write(&control, format!("+{controller}"));
                }
            }
        }
        Ok(())
    }

    /// Whether any process is in it.
    pub(crate) fn is_populated(&self) -> bool {
        self.hierarchies.iter().any(|hierarchy| !processes(&hierarchy.mount.join(&self.name)).is_empty())
    }

    /// Whether its folder exists in any hierarchy.
    pub(crate) fn exists(&self) -> bool {
        self.hierarchies.iter().any(|hierarchy| hierarchy.mount.join(&self.name).exists())
    }

    /// Kills every process in it and removes it.
    pub(crate) fn destroy(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut killed = HashSet::new();
        loop {
            let mut left = None;
            for hierarchy in &self.hierarchies {
                let folder = hierarchy.mount.join(&self.name);
                thaw(&folder);
                for process in processes(&folder) {
                    // It may be gone already; whether it is shows when the folder is removed.
                    let _ = kill_process(process, Signal::KILL);
                    killed.insert(process);
                }
                if let Err(error) = remove(&folder) {
                    left = Some((folder, error));
                }
            }
            match left {
                None => break,
                Some((folder, error)) if Instant::now() > deadline => {
                    let processes = processes(&folder);
                    return Err(Error::new(format!(
                        "remove the cgroup {}: {error}; its processes: {processes:?}",
                        folder.display()
                    )));
                }
                Some(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        await_burial(&killed);
        Ok(())
    }
}

/// Waits a little until nothing is left of dead processes in the process table; that is up to their parents, this
/// process among them, and to the init of the machine.
fn await_burial(processes: &HashSet<Pid>) {
    let deadline = Instant::now() + Duration::from_secs(3);
    let is_left = |process: &Pid| {
        let _ = waitpid(Some(*process), WaitOptions::NOHANG);
        Path::new("/proc").join(process.as_raw_nonzero().to_string()).exists()
    };
    while Instant::now() < deadline && processes.iter().any(is_left) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The hierarchies that are mounted where engines look for them.
pub(crate) fn hierarchies() -> Vec<Hierarchy> {
    parse(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
}

/// Picks cgroup mounts out of a `mountinfo` table: `… MOUNTPOINT OPTIONS … - TYPE SOURCE SUPER_OPTIONS`.
fn parse(mountinfo: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    for line in mountinfo.lines() {
        let Some((mount, file_system)) = line.split_once(" - ") else { continue };
        let Some(mount) = mount.split(' ').nth(4).map(Path::new) else { continue };
        let mut words = file_system.split(' ');
        let options = match words.next() {
            Some("cgroup") => words.nth(1).map(version_1_options),
            Some("cgroup2") => None,
            _ => continue,
        };
        let hierarchy = Hierarchy { mount: mount.to_owned(), options };
        if mount.starts_with("/sys/fs/cgroup") && !found.contains(&hierarchy) {
            found.push(hierarchy);
        }
    }
    // In the hybrid layout version 1 does the work, and crun refuses containers where it sees version 2 beside it.
    if found.iter().any(|hierarchy| hierarchy.options.is_some()) {
        found.retain(|hierarchy| hierarchy.options.is_some());
    }
    found
}

/// Keeps what tells one hierarchy from another: its controllers, or its name.
fn version_1_options(all: &str) -> String {
    const OTHER: [&str; 7] = ["rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "favordynmods"];
    let mut options: Vec<&str> =
        all.split(',').filter(|option| !OTHER.contains(option) && !option.starts_with("release_agent=")).collect();
    if options.iter().all(|option| option.starts_with("name=")) {
        options.insert(0, "none");
    }
    options.join(",")
}

/// The processes of a cgroup and of those beneath it, as this process numbers them.
fn processes(folder: &Path) -> Vec<Pid> {
    let mut found: Vec<Pid> = fs::read_to_string(folder.join("cgroup.procs"))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| Pid::from_raw(line.parse().ok()?))
        .collect();
    for child in children(folder) {
        found.extend(processes(&child));
    }
    found
}

/// Wakes the processes of paused containers: version 1 keeps even killed ones frozen.
fn thaw(folder: &Path) {
    if let Ok(mut state) = OpenOptions::new().write(true).open(folder.join("freezer.state")) {
        let _ = state.write_all(b"THAWED");
    }
    children(folder).iter().for_each(|child| thaw(child));
}

/// Removes a cgroup and those beneath it; a missing one is fine.
fn remove(folder: &Path) -> io::Result<()> {
    for child in children(folder) {
        remove(&child)?;
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            entry.file_type().ok()?.is_dir().then(|| entry.path())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hierarchy(mount: &str, options: Option<&str>) -> Hierarchy {
        Hierarchy { mount: mount.into(), options: options.map(str::to_owned) }
    }

    #[test]
    fn version_1_and_hybrid() {
        let table = "\
24 1 0:22 / /sys rw,relatime - sysfs sysfs rw
30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/systemd rw,relatime shared:7 master:1 - cgroup systemd rw,xattr,release_agent=/a,name=systemd
33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
34 30 0:27 / /mnt/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
";
        assert_eq!(
            parse(table),
            [
                hierarchy("/sys/fs/cgroup/cpu,cpuacct", Some("cpu,cpuacct")),
                hierarchy("/sys/fs/cgroup/systemd", Some("none,name=systemd")),
            ]
        );
    }

    #[test]
    fn version_2() {
        let table =
            "29 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
        assert_eq!(parse(table), [hierarchy("/sys/fs/cgroup", None)]);
        let cgroup = Cgroup { hierarchies: parse(table), name: "longshore-0".into() };
        assert_eq!(cgroup.boot_words(), "/sys/fs/cgroup:");
    }

    #[test]
    fn nonsense_is_skipped() {
        assert_eq!(parse("\n - cgroup\nx y - cgroup2 c rw\n1 2 3 / - cgroup"), []);
    }
}
