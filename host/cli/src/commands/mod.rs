//! The commands, one file each or one a family.

mod account;
mod accounts;
mod activate;
mod backup;
mod check;
mod command_list;
mod contract;
mod demo;
mod dev;
mod docs;
mod events;
mod follow;
mod fulfilment;
mod get;
mod gift_card;
mod hold;
mod input;
mod inspect;
mod install;
mod keygen;
mod marketplace;
mod notes;
mod notifications;
mod order;
mod output_file;
mod pack;
mod packing_slip;
mod parked;
mod product;
mod pull;
mod records;
mod refunds;
mod run;
mod sandbox;
mod seller;
mod ship;
mod sign;
mod status;
mod stock;
mod sync;
mod test;
mod trust;
mod uninstall;
mod verify;
mod versions;
mod webhook;
mod webhook_listen;

use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use account::NEW_KEY_VARIABLE;
use clap::Subcommand;
use tradepost_engine::store::Store;
use tradepost_engine::versions::Versions;

use crate::arguments::Arguments;
use crate::config::Config;
use crate::data_directory::open_store;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::session::{CALLS_OF_A_COMMAND, Opener, Session};

/// What a command gets from the options that all of them take.
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) table: PathBuf,
}

impl Context {
    /// Opens an account of the table or of the store.
    pub(crate) async fn open(&self, account: &str) -> Result<Session> {
        Session::open(&self.table, account).await
    }

    /// The store of the table's data directory, without any account: for what only looks at it or decides.
    pub(crate) fn store(&self) -> Result<(Config, Arc<dyn Store>)> {
        let config = Config::read(&self.table).map_err(Failure::from)?;
        let store = open_store(&config.data)?;
        Ok((config, store))
    }

    /// The same with the installed versions of the data directory, which it is opened for.
    pub(crate) fn versions(&self) -> Result<(Config, Arc<dyn Store>, Versions)> {
        let (config, store) = self.store()?;
        let versions = Opener::with_store(&config, Arc::clone(&store), CALLS_OF_A_COMMAND)?.versions()?;
        Ok((config, store, versions))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    Sandbox(sandbox::Sandbox),
    Inspect(inspect::Inspect),
    Docs(docs::Docs),
    Test(test::Test),
    Contract(contract::Contract),
    Keygen(keygen::Keygen),
    Pack(pack::Pack),
    Sign(sign::Sign),
    Verify(verify::Verify),
    Install(install::Install),
    Activate(activate::Activate),
    Rollback(activate::Rollback),
    Versions(versions::Versions),
    Pin(follow::Pin),
    Channel(follow::Channel),
    Trust(trust::Trust),
    Revoke(trust::Revoke),
    Uninstall(uninstall::Uninstall),
    Sweep(uninstall::Sweep),
    Dev(dev::Dev),
    Accounts(accounts::Accounts),
    Account(account::Account),
    Check(check::Check),
    Pause(hold::Pause),
    Resume(hold::Resume),
    Pull(pull::Pull),
    Categories(pull::Categories),
    Notifications(notifications::Notifications),
    Get(get::Get),
    Sync(sync::Sync),
    Run(run::Run),
    Status(status::Status),
    Events(events::Events),
    Records(records::Records),
    Orders(records::Orders),
    Commands(command_list::CommandList),
    Parked(parked::Parked),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Acknowledge(order::Acknowledge),
    Ship(ship::Ship),
    OrderStatus(order::OrderStatus),
    Carriers(order::Carriers),
    PackingSlip(packing_slip::PackingSlip),
    Notes(notes::Notes),
    Refunds(refunds::Refunds),
    Fulfilment(fulfilment::Fulfilment),
    Product(product::Product),
    Stock(stock::Stock),
    Settings(seller::Settings),
    Restrictions(seller::Restrictions),
    Sellers(marketplace::Sellers),
    SalesFigures(marketplace::SalesFigures),
    GiftCard(gift_card::GiftCard),
    Webhook(webhook::Webhook),
    WebhookListen(webhook_listen::WebhookListen),
}

/// Runs the command that was asked for.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let context = Context { output: Output { json: arguments.json }, table: arguments.config };
    match arguments.command {
        Command::Demo(command) => command.run(&context).await,
        Command::Sandbox(command) => command.run(&context).await,
        Command::Inspect(command) => command.run(&context).await,
        Command::Docs(command) => command.run(&context).await,
        Command::Test(command) => command.run(&context).await,
        Command::Contract(_) => contract::Contract::run(&context),
        Command::Keygen(command) => command.run(&context),
        Command::Pack(command) => command.run(&context).await,
        Command::Sign(command) => command.run(&context),
        Command::Verify(command) => command.run(&context).await,
        Command::Install(command) => command.run(&context).await,
        Command::Activate(command) => command.run(&context).await,
        Command::Rollback(command) => command.run(&context).await,
        Command::Versions(command) => command.run(&context).await,
        Command::Pin(command) => command.run(&context).await,
        Command::Channel(command) => command.run(&context).await,
        Command::Trust(command) => command.run(&context).await,
        Command::Revoke(command) => command.run(&context).await,
        Command::Uninstall(command) => command.run(&context).await,
        Command::Sweep(command) => command.run(&context).await,
        Command::Dev(command) => command.run(&context).await,
        Command::Accounts(command) => command.run(&context).await,
        Command::Account(command) => command.run(&context).await,
        Command::Check(command) => command.run(&context).await,
        Command::Pause(command) => command.run(&context).await,
        Command::Resume(command) => command.run(&context).await,
        Command::Pull(command) => command.run(&context).await,
        Command::Categories(command) => command.run(&context).await,
        Command::Notifications(command) => command.run(&context).await,
        Command::Get(command) => command.run(&context).await,
        Command::Sync(command) => command.run(&context).await,
        Command::Run(command) => command.run(&context).await,
        Command::Status(command) => command.run(&context).await,
        Command::Events(command) => command.run(&context).await,
        Command::Records(command) => command.run(&context).await,
        Command::Orders(command) => command.run(&context).await,
        Command::Commands(command) => command.run(&context).await,
        Command::Parked(command) => command.run(&context).await,
        Command::Backup(command) => command.run(&context).await,
        Command::Restore(command) => command.run(&context).await,
        Command::Acknowledge(command) => command.run(&context).await,
        Command::Ship(command) => command.run(&context).await,
        Command::OrderStatus(command) => command.run(&context).await,
        Command::Carriers(command) => command.run(&context).await,
        Command::PackingSlip(command) => command.run(&context).await,
        Command::Notes(command) => command.run(&context).await,
        Command::Refunds(command) => command.run(&context).await,
        Command::Fulfilment(command) => command.run(&context).await,
        Command::Product(command) => command.run(&context).await,
        Command::Stock(command) => command.run(&context).await,
        Command::Settings(command) => command.run(&context).await,
        Command::Restrictions(command) => command.run(&context).await,
        Command::Sellers(command) => command.run(&context).await,
        Command::SalesFigures(command) => command.run(&context).await,
        Command::GiftCard(command) => command.run(&context).await,
        Command::Webhook(command) => command.run(&context).await,
        Command::WebhookListen(command) => command.run(&context).await,
    }
}
