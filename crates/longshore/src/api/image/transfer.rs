use longshore_models::{ProgressDetail, ProgressMessage};

/// How far a pull or push is, after a message of the engine's.
///
/// The sums never shrink, and in the end both are equal to what was moved. A layer counts from the moment the engine
/// tells its size, which for most layers is when their turn comes: until [`unsized_layers`](Self::unsized_layers) is 0,
/// the total grows. Layers that were there already count nothing.
///
/// Docker counts a pull as it is compressed, and a push before it is compressed. Some layers' sizes are never told:
/// those of small layers when the engine keeps images in containerd, or is Podman, which tells nothing at all of a push.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TransferProgress {
    /// Bytes that were moved.
    pub done_bytes: u64,
    /// Bytes that are to be moved, of all layers whose size is known.
    pub total_bytes: u64,
    /// How many layers the engine has named so far.
    pub layers: usize,
    /// How many of these need no more moving: they were moved, or were there already.
    pub done_layers: usize,
    /// Of how many of these the engine has not told the size, so that they don't count into the total.
    pub unsized_layers: usize,
    /// The layer that the message is about; `None` if it is about the image as a whole.
    pub layer: Option<LayerProgress>,
    /// The message itself.
    pub message: ProgressMessage,
}

/// How far the pull or push of one layer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerProgress {
    /// The layer's id: the beginning of a digest. Podman tells of the image's configuration as of a layer.
    pub id: String,
    /// What is being done with it.
    pub state: LayerState,
    /// Bytes of it that were moved.
    pub done_bytes: u64,
    /// Bytes of it that are to be moved; `None` as long as the engine has not told.
    pub total_bytes: Option<u64>,
}

/// What is being done with a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LayerState {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// It is being moved.
    Moving,
    /// It could not be moved, and the engine will try again.
    Retrying,
    /// It was moved; a pulled one may still have to be unpacked.
    Moved,
    /// It is being unpacked.
    Unpacking,
    /// It was moved, and all that follows is done.
    Done,
    /// It was there already, so that nothing was moved.
    Present,
    /// The engine does not have it and can't push it.
    Unavailable,
}

impl LayerState {
    /// Reads the words of the engine; `None` if they don't tell of a layer.
    fn read(status: &str) -> Option<Self> {
        Some(match status {
            "Pulling fs layer" | "Preparing" | "Waiting" => LayerState::Waiting,
            "Downloading" | "Pushing" => LayerState::Moving,
            "Verifying Checksum" | "Download complete" => LayerState::Moved,
            "Extracting" => LayerState::Unpacking,
            "Pull complete" | "Pushed" => LayerState::Done,
            "Already exists" | "Layer already exists" => LayerState::Present,
            "Unavailable" => LayerState::Unavailable,
            _ if status.starts_with("Mounted from ") => LayerState::Present,
            _ if status.starts_with("Retrying in ") => LayerState::Retrying,
            _ => return None,
        })
    }

    /// Whether it needs no more moving.
    fn is_moved(self) -> bool {
        matches!(self, LayerState::Moved | LayerState::Unpacking | LayerState::Done | LayerState::Present)
    }
}

/// Adds up the messages of a pull or push.
#[derive(Debug, Default)]
pub(super) struct Tally(Vec<Layer>);

#[derive(Debug, Default)]
struct Layer {
    progress: LayerProgress,
    /// The largest size that was told of it.
    told: u64,
    /// Whether the engine tries once more to move it.
    again: bool,
    /// The bytes that an earlier try has moved, and that the engine does not count again.
    before: u64,
}

impl Tally {
    /// Takes a message into account.
    pub(super) fn add(&mut self, message: ProgressMessage) -> TransferProgress {
        let state = LayerState::read(&message.status).filter(|_| !message.id.is_empty());
        let layer = state.map(|state| {
            let layer = self.layer(&message.id);
            layer.step(state, &message.progress_detail);
            layer.progress.clone()
        });
        let mut sum = TransferProgress { layers: self.0.len(), layer, message, ..TransferProgress::default() };
        for layer in self.layers() {
            sum.done_bytes = sum.done_bytes.saturating_add(layer.done_bytes);
            sum.total_bytes = sum.total_bytes.saturating_add(layer.total_bytes.unwrap_or_default());
            sum.done_layers += usize::from(layer.state.is_moved());
            sum.unsized_layers += usize::from(layer.total_bytes.is_none());
        }
        sum
    }

    pub(super) fn layers(&self) -> impl Iterator<Item = &LayerProgress> {
        self.0.iter().map(|layer| &layer.progress)
    }

    fn layer(&mut self, id: &str) -> &mut Layer {
        let index = self.0.iter().position(|layer| layer.progress.id == id).unwrap_or_else(|| {
            let progress = LayerProgress { id: id.to_owned(), ..LayerProgress::default() };
            self.0.push(Layer { progress, ..Layer::default() });
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

impl Layer {
    fn step(&mut self, state: LayerState, detail: &ProgressDetail) {
        let before = self.progress.state;
        // Where several tags are moved, layers that they share are told again of each.
        let over = matches!(before, LayerState::Done | LayerState::Present);
        if over || (before.is_moved() && matches!(state, LayerState::Waiting)) {
            return;
        }
        // Some engines count the seconds of the unpacking.
        let counts_bytes = detail.units.is_empty();
        let count = |count: i64| if counts_bytes { u64::try_from(count).unwrap_or_default() } else { 0 };
        self.measure(state, count(detail.current), count(detail.total));
        let size = self.told.max(self.progress.done_bytes);
        let is_known = size > 0 || state == LayerState::Present;
        self.progress.total_bytes = is_known.then_some(size);
        if state.is_moved() {
            self.progress.done_bytes = size;
        }
        // What was moved before is not there by itself.
        self.progress.state = if state == LayerState::Present && size > 0 { LayerState::Done } else { state };
    }

    fn measure(&mut self, state: LayerState, current: u64, total: u64) {
        match state {
            LayerState::Retrying => self.again = true,
            LayerState::Moving => {
                // A download that goes on where it was cut is told as one of what is missing.
                if self.again && total > 0 {
                    self.before = self.told.saturating_sub(total);
                }
                self.told = self.told.max(total);
                // A push counts what the files are packed in too, which the size told does not.
                let done = self.before.saturating_add(current);
                self.progress.done_bytes = self.progress.done_bytes.max(done);
            }
            _ => self.told = self.told.max(total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The messages of a fixture.
    macro_rules! recorded {
        ($engine:literal, $name:literal) => {
            read(include_str!(concat!("../../../../longshore-models/fixtures/", $engine, "/", $name, ".json")))
        };
    }

    fn read(json: &str) -> Vec<ProgressMessage> {
        longshore_models::decode::from_slice(json.as_bytes()).unwrap()
    }

    /// Adds all up, and checks after each message what always holds.
    fn tally(messages: Vec<ProgressMessage>) -> (Tally, TransferProgress) {
        let (mut tally, mut last) = (Tally::default(), TransferProgress::default());
        for message in messages {
            let next = tally.add(message.clone());
            assert_eq!(next.message, message);
            assert!(next.done_bytes >= last.done_bytes && next.total_bytes >= last.total_bytes, "{last:?} {next:?}");
            assert!(next.done_bytes <= next.total_bytes, "{next:?}");
            assert!(next.layers >= last.layers && next.done_layers >= last.done_layers, "{last:?} {next:?}");
            last = next;
        }
        (tally, last)
    }

    fn sums(messages: Vec<ProgressMessage>) -> (u64, u64, usize, usize, usize) {
        let (tally, last) = tally(messages);
        assert_eq!(tally.layers().count(), last.layers);
        (last.done_bytes, last.total_bytes, last.done_layers, last.layers, last.unsized_layers)
    }

    #[test]
    fn a_pull_adds_up_to_what_was_downloaded() {
        let sizes = [3_004_235, 244, 702_066, 5_218, 1_503_217, 60_421, 901_922, 141];
        let all = sizes.iter().sum();
        assert_eq!(sums(recorded!("docker-20.10", "image_pull")), (all, all, 8, 8, 0));
        let missing = sizes[4..].iter().sum();
        assert_eq!(sums(recorded!("docker-20.10", "image_pull-existing")), (missing, missing, 8, 8, 0));
        let (tally, _) = tally(recorded!("docker-20.10", "image_pull-existing"));
        let present: Vec<_> = tally.layers().map(|layer| layer.state == LayerState::Present).collect();
        assert_eq!(present, [true, true, true, true, false, false, false, false]);
        let sizes = [3_004_236, 245, 702_066, 5_215, 1_503_219, 60_424, 901_929, 139];
        let all = sizes.iter().sum();
        assert_eq!(sums(recorded!("docker-26.1", "image_pull")), (all, all, 8, 8, 0));
        let sizes = [3_007_200, 239, 702_506, 5_258, 1_504_148, 60_746, 902_914, 139];
        let all = sizes.iter().sum();
        assert_eq!(sums(recorded!("docker-sid", "image_pull")), (all, all, 8, 8, 0));
    }

    #[test]
    fn layers_whose_size_is_never_told_are_counted() {
        let all = 20_480 + 6_010_880 + 1_402_880 + 10_240 + 3_010_560 + 1_802_240;
        assert_eq!(sums(recorded!("docker-26.1", "image_pull-containerd")), (all, all, 8, 8, 2));
        let all = 6_010_880 + 3_010_560 + 1_802_240;
        assert_eq!(sums(recorded!("docker-sid", "image_pull-containerd")), (all, all, 8, 8, 5));
        assert_eq!(sums(recorded!("podman", "image_pull")), (0, 0, 9, 9, 9));
        let all = 1_503_887 + 3_006_361;
        assert_eq!(sums(recorded!("podman", "image_pull-slow")), (all, all, 9, 9, 7));
        assert_eq!(sums(recorded!("podman", "image_push")), (0, 0, 0, 0, 0));
    }

    #[test]
    fn a_push_adds_up_to_what_was_packed() {
        let all = 10_240 + 1_802_240 + 122_880 + 3_010_560 + 20_480 + 1_402_880 + 10_240 + 6_010_880;
        for messages in [
            recorded!("docker-20.10", "image_push"),
            recorded!("docker-26.1", "image_push"),
            recorded!("docker-sid", "image_push"),
            recorded!("docker-sid", "image_push-containerd"),
        ] {
            assert_eq!(sums(messages), (all, all, 8, 8, 0));
        }
        assert_eq!(sums(recorded!("docker-sid", "image_push-existing")), (0, 0, 8, 8, 0));
        let mut refused = recorded!("docker-sid", "image_push-refused");
        refused.pop();
        assert_eq!(sums(refused), (0, 0, 0, 8, 8));
    }

    fn message(status: &str, current: u64, total: u64) -> ProgressMessage {
        let detail = format!(r#"{{"current":{current},"total":{total}}}"#);
        let json = format!(r#"{{"status":"{status}","progressDetail":{detail},"id":"0a1b"}}"#);
        longshore_models::decode::from_slice(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_download_that_is_tried_again_goes_on_where_it_was() {
        let (cut, retried) = (message("Downloading", 600, 1000), message("Retrying in 1 second", 0, 0));
        let again = vec![cut.clone(), retried.clone(), message("Downloading", 100, 400)];
        assert_eq!(sums(again.clone()), (700, 1000, 0, 1, 0));
        let (_, last) = tally([again, vec![message("Downloading", 400, 400), message("Pull complete", 0, 0)]].concat());
        assert_eq!((last.done_bytes, last.total_bytes, last.done_layers), (1000, 1000, 1));
        // Others begin anew: what is there does not grow until more is there.
        let anew = vec![cut.clone(), retried.clone(), message("Downloading", 100, 1000)];
        assert_eq!(sums(anew), (600, 1000, 0, 1, 0));
        let (_, last) = tally(vec![cut, retried]);
        assert_eq!(last.layer.unwrap().state, LayerState::Retrying);
    }

    #[test]
    fn a_layer_that_is_told_of_again_counts_once() {
        let tag = [message("Pulling fs layer", 0, 0), message("Downloading", 7, 7), message("Pull complete", 0, 0)];
        let next = [message("Pulling fs layer", 0, 0), message("Already exists", 0, 0)];
        assert_eq!(sums([&tag[..], &next].concat()), (7, 7, 1, 1, 0));
        assert_eq!(sums([&next[1..], &next].concat()), (0, 0, 1, 1, 0));
    }

    #[test]
    fn seconds_of_unpacking_are_no_bytes() {
        let mut unpacking = message("Extracting", 3, 0);
        unpacking.progress_detail.units = "s".to_owned();
        let unpacked = vec![message("Download complete", 0, 0), unpacking, message("Pull complete", 0, 0)];
        assert_eq!(sums(unpacked), (0, 0, 1, 1, 1));
    }

    #[test]
    fn numbers_of_no_sense_do_no_harm() {
        let huge = u64::MAX / 2;
        for (current, total) in [(huge, 1), (1, huge), (0, 0)] {
            let mut other = message("Downloading", current, total);
            other.id = "2c3d".to_owned();
            sums(vec![message("Downloading", current, total), other, message("Downloading", 5, 3)]);
        }
        let (tally, last) = tally(vec![message("no such word", 1, 2)]);
        assert_eq!((tally.layers().count(), last.layer, last.total_bytes), (0, None, 0));
    }
}
