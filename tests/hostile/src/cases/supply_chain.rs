//! Packages that are not what they claim: unsigned, tampered, substituted, downgraded (HC-33, HC-74 to HC-78, HC-81, HC-82,
//! HC-84, HC-85). What a component itself may be is tried in [`loading`](super::loading).

use crate::case::{Case, Run};

/// Packages, trust and the component store are not there to be attacked yet.
const WAITS: Run = Run::NotRun("waits for versions");

pub(super) const CASES: &[Case] = &[
    Case::starred(
        "HC-33",
        "a handle kept across a swap",
        "a call sees one version from its beginning to its end",
        WAITS,
    ),
    Case::starred(
        "HC-74",
        "an unsigned package",
        "refused unless the operator says otherwise, and marked as such",
        WAITS,
    ),
    Case::starred(
        "HC-75",
        "a tampered package: flipped bytes, appended sections, a stripped signature",
        "refused with the reason; nothing is changed",
        WAITS,
    ),
    Case::starred("HC-76", "an unknown, revoked or expired key", "refused with the reason", WAITS),
    Case::starred("HC-77", "a valid signature for another name or version", "refused with the reason", WAITS),
    Case::starred("HC-78", "a downgrade below the floor", "refused with the reason", WAITS),
    Case::starred("HC-81", "a poisoned cache of compiled code", "not used; compiled anew", WAITS),
    Case::plain(
        "HC-82",
        "the file changed between verifying and compiling",
        "what was verified is what is compiled",
        WAITS,
    ),
    Case::plain("HC-84", "a manifest that claims more than was granted", "the grant wins", WAITS),
    Case::plain(
        "HC-85",
        "a compile bomb: a million functions, one of 30 MB",
        "ended within 60 s of CPU and 2 GiB; the host goes on",
        Run::NotRun("waits for compiling in a child process"),
    ),
];
