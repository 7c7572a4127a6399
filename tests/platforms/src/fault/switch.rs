//! The switch: decides, request by request, whether the armed fault strikes.

use std::sync::{Mutex, PoisonError};

use super::{Fault, FaultKind};

#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// How many requests matched since it was armed.
    matched: u32,
}

/// The fault that is armed, if any.
#[derive(Debug, Default)]
pub(crate) struct FaultSwitch(Mutex<Option<Armed>>);

impl FaultSwitch {
    /// Arms a fault in place of the one before, or none.
    pub(crate) fn set(&self, fault: Option<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault.map(|fault| Armed { fault, matched: 0 });
    }

    /// The fault that strikes a request which has just come in.
    pub(crate) fn before(&self, path: &str) -> Option<FaultKind> {
        self.strike(path, |kind| kind != FaultKind::ApplyThenReset)
    }

    /// Whether the connection is to be reset now that a write was applied.
    pub(crate) fn after_write(&self, path: &str) -> bool {
        self.strike(path, |kind| kind == FaultKind::ApplyThenReset).is_some()
    }

    fn strike(&self, path: &str, of_this_moment: impl Fn(FaultKind) -> bool) -> Option<FaultKind> {
        let mut switch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let armed = switch.as_mut()?;
        let Fault { kind, every, next, path: part } = &armed.fault;
        if !of_this_moment(*kind) || part.as_ref().is_some_and(|part| !path.contains(part)) {
            return None;
        }
        armed.matched = armed.matched.saturating_add(1);
        let turn = every.is_none_or(|every| armed.matched.is_multiple_of(every));
        let left = next.is_none_or(|next| armed.matched <= next);
        (turn && left).then_some(*kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(text: &str, paths: &[&str]) -> Vec<bool> {
        let switch = FaultSwitch::default();
        switch.set(Some(text.parse().expect(text)));
        paths.iter().map(|path| switch.before(path).is_some()).collect()
    }

    #[test]
    fn a_fault_strikes_the_requests_it_names() {
        let orders = ["/orders"; 6];
        assert_eq!(struck("500", &orders), [true; 6]);
        assert_eq!(struck("500:every=3", &orders), [false, false, true, false, false, true]);
        assert_eq!(struck("500:next=2", &orders), [true, true, false, false, false, false]);
        assert_eq!(struck("500:every=2:next=3", &orders), [false, true, false, false, false, false]);
        assert_eq!(
            struck("500:path=/orders:every=2", &["/orders?page=1", "/products", "/orders?page=2"]),
            [false, false, true]
        );
    }

    #[test]
    fn apply_then_reset_waits_for_a_write() {
        let switch = FaultSwitch::default();
        switch.set(Some("apply-then-reset:next=1".parse().unwrap()));
        assert_eq!(switch.before("/order/1/transition"), None);
        assert!(switch.after_write("/order/1/transition"));
        assert!(!switch.after_write("/order/1/transition"));
    }
}
