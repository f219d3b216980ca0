//! What tells a process from all others, on this machine and elsewhere, and whether it is gone.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

/// The number of the namespace of processes that a machine begins with: whoever is in it is in no container.
const OUTERMOST: &str = "4026531836";

/// A process. What is not known of it is empty, or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    /// The machine's id, which it keeps when it is started again. Clones of a machine may share it.
    machine: String,
    host: String,
    /// The id of the machine's run. No two machines share it, but containers do with their machine.
    boot: String,
    /// The namespace that the process's number belongs to.
    namespace: String,
    /// The namespace that its time of start belongs to.
    clock: String,
    number: u32,
    /// When it was started, in ticks since the machine was.
    start: u64,
}

impl Process {
    /// This process. `root` is the folder with `proc` and `etc`.
    pub(super) fn own(root: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default().trim().to_owned();
        let machine = text("etc/machine-id");
        let mut process = Process {
            machine: if is_hexadecimal(&machine) { machine } else { String::new() },
            host: plain(&text("proc/sys/kernel/hostname")),
            number: std::process::id(),
            ..Process::default()
        };
        // Processes of another namespace have other numbers, and `/proc` may be that of another.
        let myself = fs::read_link(root.join("proc/self")).ok();
        if myself.is_some_and(|link| link.as_os_str() == process.number.to_string().as_str()) {
            process.boot = plain(&text("proc/sys/kernel/random/boot_id"));
            process.namespace = namespace(&root.join("proc/self/ns/pid"));
            process.clock = namespace(&root.join("proc/self/ns/time"));
            process.start = Stat::read(root, process.number).map(|stat| stat.start).unwrap_or_default();
        }
        process
    }

    /// Whether it is certain that `other` has ended. Nothing is certain of processes of other machines, or of containers
    /// in which this one is not.
    pub(super) fn knows_gone(&self, other: &Process, root: &Path) -> bool {
        let is_known = |process: &Process| {
            !process.boot.is_empty() && !process.namespace.is_empty() && process.number != 0 && process.start != 0
        };
        if !is_known(self) || !is_known(other) {
            return false;
        }
        if self.boot != other.boot {
            let is_outermost = self.namespace == OUTERMOST && other.namespace == OUTERMOST;
            return is_outermost
                && !self.machine.is_empty()
                && self.machine == other.machine
                && self.host == other.host;
        }
        if self.namespace != other.namespace || self.clock != other.clock || hides_processes(root) {
            return false;
        }
        match Stat::read(root, other.number) {
            Ok(stat) => stat.start != other.start || stat.is_dead,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Process { machine, host, boot, namespace, clock, number, start } = self;
        write!(formatter, "1:{machine}:{host}:{boot}:{namespace}:{clock}:{number}:{start}")
    }
}

impl FromStr for Process {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let [version, machine, host, boot, namespace, clock, number, start] =
            *text.split(':').collect::<Vec<_>>().as_slice()
        else {
            return Err(());
        };
        if version != "1" {
            return Err(());
        }
        Ok(Process {
            machine: machine.to_owned(),
            host: host.to_owned(),
            boot: boot.to_owned(),
            namespace: namespace.to_owned(),
            clock: clock.to_owned(),
            number: number.parse().map_err(drop)?,
            start: start.parse().map_err(drop)?,
        })
    }
}

/// What the kernel tells of a process.
struct Stat {
    start: u64,
    /// Whether it has ended, and only its parent has not been told yet.
    is_dead: bool,
}

impl Stat {
    fn read(root: &Path, number: u32) -> io::Result<Self> {
        let text = fs::read_to_string(root.join("proc").join(number.to_string()).join("stat"))?;
        Stat::parse(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// The name of the program may have spaces and brackets in it; what follows the last one is counted from 3.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        // The first thread may have ended before the others.
        let threads: u64 = field(20)?.parse().ok()?;
        let is_dead = matches!(field(3)?, "Z" | "X" | "x") && threads <= 1;
        Some(Stat { start: field(22)?.parse().ok()?, is_dead })
    }
}

/// Whether `/proc` may not show all processes of the namespace.
fn hides_processes(root: &Path) -> bool {
    let Ok(mounts) = fs::read_to_string(root.join("proc/self/mountinfo")) else { return true };
    let of_proc = mounts.lines().rfind(|line| line.split(' ').nth(4) == Some("/proc"));
    let Some((_, options)) = of_proc.and_then(|line| line.split_once(" - proc ")) else { return true };
    let mut options = options.split([',', ' ']);
    options.any(|option| option.strip_prefix("hidepid=").is_some_and(|hides| !matches!(hides, "0" | "off")))
}

/// The number in what a namespace's link says, such as `pid:[4026531836]`.
fn namespace(link: &Path) -> String {
    let text = fs::read_link(link).map(|link| link.to_string_lossy().into_owned()).unwrap_or_default();
    text.chars().filter(char::is_ascii_digit).collect()
}

fn is_hexadecimal(text: &str) -> bool {
    text.len() == 32 && text.chars().all(|character| character.is_ascii_hexdigit())
}

/// The text without what would be taken for something else in a label.
fn plain(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.');
    text.chars().map(|character| if is_plain(character) { character } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_testkit::Folder;

    const MOUNTS: &str = "1 2 0:3 / / rw - ext4 /dev/a rw\n5 1 0:4 / /proc rw,nosuid shared:1 - proc proc rw";

    /// A folder that stands for `/`, with one process.
    fn root(stat: &str, mounts: &str) -> Folder {
        let folder = Folder::new();
        folder.write("proc/77/stat", stat);
        folder.write("proc/self/mountinfo", mounts);
        folder
    }

    fn stat(state: &str, threads: u32, start: u64) -> String {
        format!("77 (a) b) ({state}) {state} 1 77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 {threads} 0 {start} 1 2 3\n")
    }

    fn process(number: u32, start: u64) -> Process {
        let text = format!("1:0123:host:boot:{OUTERMOST}:7:{number}:{start}");
        let process: Process = text.parse().unwrap();
        assert_eq!(process.to_string(), text);
        process
    }

    #[test]
    fn a_process_is_gone_when_nothing_else_can_be() {
        let own = process(1, 1);
        let gone = |stat: &str, mounts: &str, other: &Process| own.knows_gone(other, root(stat, mounts).path());
        assert!(!gone(&stat("S", 1, 500), MOUNTS, &process(77, 500)), "it lives");
        assert!(gone(&stat("S", 1, 501), MOUNTS, &process(77, 500)), "another has its number");
        assert!(gone(&stat("S", 1, 500), MOUNTS, &process(78, 500)), "nobody has its number");
        assert!(gone(&stat("Z", 1, 500), MOUNTS, &process(77, 500)), "only its parent has not been told");
        assert!(!gone(&stat("Z", 3, 500), MOUNTS, &process(77, 500)), "its other threads live");
        assert!(!gone("what is this", MOUNTS, &process(77, 500)));
        for hiding in ["hidepid=2", "hidepid=invisible", "hidepid=1"] {
            let mounts = format!("{MOUNTS},{hiding}");
            assert!(!gone(&stat("S", 1, 500), &mounts, &process(78, 500)), "{hiding}");
        }
        assert!(gone(&stat("S", 1, 500), &format!("{MOUNTS},hidepid=off"), &process(78, 500)));
        assert!(!gone(&stat("S", 1, 500), "", &process(78, 500)), "what is `/proc`?");
    }

    #[test]
    fn nothing_is_certain_of_processes_elsewhere() {
        let root = root(&stat("S", 1, 500), MOUNTS);
        let own = process(1, 1);
        let changed = |change: fn(&mut Process)| {
            let mut other = process(78, 500);
            change(&mut other);
            own.knows_gone(&other, root.path())
        };
        assert!(changed(|_| {}));
        assert!(!changed(|other| other.namespace = "1".to_owned()));
        assert!(!changed(|other| other.clock = "1".to_owned()));
        assert!(!changed(|other| other.boot.clear()));
        assert!(!changed(|other| other.start = 0));
        // The machine was started again: but only if it is this one, and nobody is in a container.
        assert!(changed(|other| other.boot = "before".to_owned()));
        for elsewhere in [
            |other: &mut Process| other.machine = "4567".to_owned(),
            |other: &mut Process| other.machine.clear(),
            |other: &mut Process| other.host = "other".to_owned(),
            |other: &mut Process| other.namespace = "1".to_owned(),
        ] {
            let mut other = process(78, 500);
            other.boot = "before".to_owned();
            elsewhere(&mut other);
            assert!(!own.knows_gone(&other, root.path()), "{other}");
        }
        let mut nameless = own.clone();
        nameless.machine.clear();
        let mut other = nameless.clone();
        other.boot = "before".to_owned();
        assert!(!nameless.knows_gone(&other, root.path()));
    }

    #[test]
    fn what_is_no_label_of_this_version_is_none() {
        for bad in ["", "1", "2:m:h:b:n:c:1:1", "1:m:h:b:n:c:x:1", "1:m:h:b:n:c:1:-1", "1:m:h:b:n:c:1:1:1"] {
            assert!(bad.parse::<Process>().is_err(), "{bad}");
        }
        assert_eq!(plain("my host:\"1\""), "my_host__1_");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_lives() {
        let own = Process::own(Path::new("/"));
        assert_eq!(own.to_string().parse(), Ok(own.clone()));
        assert!(own.number == std::process::id() && own.start > 0 && !own.boot.is_empty());
        assert!(!own.knows_gone(&own, Path::new("/")));
        // Where nothing is known of it, nothing is known of others.
        let nowhere = Process::own(Path::new("/nonexistent"));
        assert!(!nowhere.knows_gone(&process(78, 500), Path::new("/")));
    }
}
