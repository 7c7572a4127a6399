//! What a machine must have before work is done on it: room on the disk, and a clock that can be believed.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::OpenError;

/// The least room on the disk, in bytes: a daemon that fills the last of it loses the ground under it in the middle of something.
const LEAST_ROOM: u64 = 128 << 20;
/// No clock is right that shows a time before this program was made: 2026-01-01.
const MADE: Duration = Duration::from_secs(1_767_225_600);
/// How far behind the newest event a clock may be.
const MOST_BEHIND: Duration = Duration::from_hours(1);

/// Checks the machine. `newest` is when the newest event of the store was committed, milliseconds since 1970.
pub fn check_machine(data_directory: &Path, newest: Option<u64>) -> Result<(), OpenError> {
    let room = fs4::available_space(data_directory)
        .map_err(|error| OpenError::Unusable { path: data_directory.to_owned(), reason: error.to_string() })?;
    check(data_directory, room, SystemTime::now(), newest)
}

fn check(data_directory: &Path, room: u64, clock: SystemTime, newest: Option<u64>) -> Result<(), OpenError> {
    if room < LEAST_ROOM {
        let mib = |bytes: u64| bytes >> 20;
        return Err(OpenError::NoRoom { path: data_directory.to_owned(), room: mib(room), least: mib(LEAST_ROOM) });
    }
    let since = clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let newest = Duration::from_millis(newest.unwrap_or(0));
    if since < MADE || since + MOST_BEHIND < newest {
        return Err(OpenError::WrongClock { shows: since.as_secs(), newest: newest.as_secs().max(MADE.as_secs()) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_clock_that_went_back_are_refused() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let (path, now) = (Path::new("data"), 1_800_000_000);
        check(path, LEAST_ROOM, at(now), None).unwrap();
        check(path, LEAST_ROOM, at(now), Some((now + 3_000) * 1_000)).unwrap();
        assert!(matches!(check(path, LEAST_ROOM - 1, at(now), None), Err(OpenError::NoRoom { .. })));
        assert!(matches!(check(path, LEAST_ROOM, at(0), None), Err(OpenError::WrongClock { .. })));
        let ahead = Some((now + 4_000) * 1_000);
        assert!(matches!(check(path, LEAST_ROOM, at(now), ahead), Err(OpenError::WrongClock { .. })));
    }
}
