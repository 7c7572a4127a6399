//! The parts of WASI that attacks import, as WIT: enough for hand-written modules to be told apart by the host.

/// Pollables: the only handles that a connector can come by.
const IO: &str = "package wasi:io@0.2.0;
interface poll {
    resource pollable {
        ready: func() -> bool;
        block: func();
    }
}";

/// The clock that makes them.
const CLOCKS: &str = "package wasi:clocks@0.2.0;
interface monotonic-clock {
    use wasi:io/poll@0.2.0.{pollable};
    subscribe-duration: func(when: u64) -> pollable;
}";

/// Bytes that the host makes for the guest.
const RANDOM: &str = "package wasi:random@0.2.0;
interface random {
    get-random-bytes: func(len: u64) -> list<u8>;
}";

/// The packages, in the order in which they refer to each other.
pub fn packages() -> Vec<String> {
    vec![IO.into(), CLOCKS.into(), RANDOM.into()]
}

/// What a world imports of them.
pub const WORLD: &str = "
    import wasi:io/poll@0.2.0;
    import wasi:clocks/monotonic-clock@0.2.0;
    import wasi:random/random@0.2.0;
";

/// Core imports: `$subscribe`, `$ready`, `$block`, `$drop` and `$random`.
pub const IMPORTS: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $subscribe (param i64) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.ready" (func $ready (param i32) (result i32)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.0" "[resource-drop]pollable" (func $drop (param i32)))
    (import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
"#;
