//! Taking an account out of service: how many of its calls are under way, waiting until there is none, and ending those
//! that do not end by themselves.
//!
//! When another version of a connector takes over, the embedder opens the account anew on it and sends new calls there;
//! the old [`Account`](crate::Account) is then drained: its calls finish on the code they began with. What has not ended by
//! the embedder's deadline is retired, which is to a call what its wall-clock limit is.

use tokio::sync::watch;

/// The calls of one account.
pub(crate) struct Calls {
    under_way: watch::Sender<usize>,
    // A channel of its own: a call waits for this one, and need not wake up for the beginning and end of each other call.
    retired: watch::Sender<bool>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { under_way: watch::Sender::new(0), retired: watch::Sender::new(false) }
    }
}

impl Calls {
    /// Counts a call until what is returned is dropped; none once the account is retired.
    pub(crate) fn begin(&self) -> Option<UnderWay<'_>> {
        // Counted before it is asked whether it may: whoever retires the account and waits does not miss it.
        self.under_way.send_modify(|calls| *calls += 1);
        let counted = UnderWay { calls: self };
        if *self.retired.borrow() { None } else { Some(counted) }
    }

    pub(crate) fn under_way(&self) -> usize {
        *self.under_way.borrow()
    }

    /// Resolves when no call is under way.
    pub(crate) async fn drained(&self) {
        // The sender lives as long as this borrow of it, so waiting cannot fail.
        let _ = self.under_way.subscribe().wait_for(|calls| *calls == 0).await;
    }

    pub(crate) fn retire(&self) {
        self.retired.send_replace(true);
    }

    /// Resolves when the account is retired.
    pub(crate) async fn retired(&self) {
        let _ = self.retired.subscribe().wait_for(|retired| *retired).await;
    }
}

/// A call that is under way.
pub(crate) struct UnderWay<'a> {
    calls: &'a Calls,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.calls.under_way.send_modify(|calls| *calls -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn it_is_drained_when_the_last_call_ends() {
        let calls = Calls::default();
        assert_eq!(calls.drained().now_or_never(), Some(()), "nothing was begun");
        let (first, second) = (calls.begin(), calls.begin());
        assert!(first.is_some() && second.is_some());
        let mut drained = Box::pin(calls.drained());
        assert_eq!((calls.under_way(), drained.as_mut().now_or_never()), (2, None));
        drop(first);
        assert_eq!((calls.under_way(), drained.as_mut().now_or_never()), (1, None));
        drop(second);
        assert_eq!((calls.under_way(), drained.now_or_never()), (0, Some(())));
    }

    #[test]
    fn a_retired_account_begins_nothing_and_tells_those_that_run() {
        let calls = Calls::default();
        let running = calls.begin();
        let mut retired = Box::pin(calls.retired());
        assert_eq!(retired.as_mut().now_or_never(), None);
        calls.retire();
        assert_eq!(retired.now_or_never(), Some(()));
        assert!(calls.begin().is_none());
        assert_eq!(calls.under_way(), 1, "what was refused is not counted");
        drop(running);
        assert_eq!(calls.drained().now_or_never(), Some(()));
    }
}
