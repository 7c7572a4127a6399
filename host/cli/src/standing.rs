//! Whether an account may work: one that is held back is looked at before anything is done for it.

use std::sync::Arc;

use tradepost_engine::standing::{AccountState, Standing};
use tradepost_engine::store::Store;

use crate::explain;
use crate::failure::{Exit, Failure, Result};
use crate::output::word;
use crate::progress;
use crate::session::Session;

/// How an account stands, if it is held back.
pub(crate) async fn held_back(store: &Arc<dyn Store>, account: &str) -> Result<Option<Standing>> {
    let standing = store.standings(Some(account)).await.map_err(|error| explain::store_error(&error))?;
    Ok(standing.into_iter().find(|standing| standing.state != AccountState::Active))
}

/// Sees to it that an account may work. One whose credential was refused is asked for again: whoever runs a command has most likely
/// mended it.
pub(crate) async fn ready(session: &Session, store: &Arc<dyn Store>) -> Result<()> {
    let account = session.account.id();
    match held_back(store, account).await? {
        None => Ok(()),
        Some(standing) if standing.state == AccountState::NeedsReauth => {
            session.keep(session.account.check().await).await?;
            works_again(session, store).await
        }
        Some(standing) => Err(refusal(session, &standing).into()),
    }
}

/// An account whose credential was refused works again: its streams are walked and its commands go on.
pub(crate) async fn works_again(session: &Session, store: &Arc<dyn Store>) -> Result<()> {
    let account = session.account.id();
    if held_back(store, account).await?.is_some_and(|standing| standing.state == AccountState::NeedsReauth) {
        store
            .set_standing(account, AccountState::Active, None, None)
            .await
            .map_err(|error| explain::store_error(&error))?;
        progress::note(&format!("{account}: the credential works again; the account is back at work"));
    }
    Ok(())
}

/// Why nothing is done for an account that is held back, and what to do about it.
pub(crate) fn refusal(session: &Session, standing: &Standing) -> Failure {
    let account = session.account.id();
    let state = word(&standing.state);
    let message = format!("the account is held back ({state})");
    let failure = |exit| {
        let failure = session.located(Failure::new(exit, state.clone(), message.clone()));
        failure.detail(standing.reason.clone().unwrap_or_default())
    };
    match standing.state {
        AccountState::NeedsReauth => failure(Exit::Credentials)
            .advice(session.credential_advice())
            .advice(format!("when it is right: `tradepost check {account}` sets the account to work again")),
        AccountState::Quarantined => failure(Exit::ConnectorFault).advice(format!(
            "its connector broke off again and again; another version sets it to work again, or `tradepost resume {account}`"
        )),
        AccountState::Foreign => failure(Exit::Credentials).advice(session.credential_advice()).advice(format!(
            "if the account is to be that seller's from now on: `tradepost resume {account}`"
        )),
        AccountState::Paused | AccountState::Active => {
            failure(Exit::TryAgain).advice(format!("`tradepost resume {account}` sets it to work again"))
        }
    }
}
