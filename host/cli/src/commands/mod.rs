//! The commands, one file each or one a family.

mod accounts;
mod check;
mod contract;
mod demo;
mod docs;
mod fulfilment;
mod get;
mod gift_card;
mod input;
mod inspect;
mod marketplace;
mod notes;
mod notifications;
mod order;
mod output_file;
mod packing_slip;
mod product;
mod pull;
mod sandbox;
mod seller;
mod ship;
mod stock;
mod test;
mod webhook;

use std::path::PathBuf;

use clap::Subcommand;

use crate::arguments::Arguments;
use crate::failure::Result;
use crate::output::Output;
use crate::session::Session;

/// What a command gets from the options that all of them take.
pub(crate) struct Context {
    pub(crate) output: Output,
    table: PathBuf,
}

impl Context {
    /// Opens an account of the table.
    pub(crate) async fn open(&self, account: &str) -> Result<Session> {
        Session::open(&self.table, account).await
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
    Accounts(accounts::Accounts),
    Check(check::Check),
    Pull(pull::Pull),
    Categories(pull::Categories),
    Notifications(notifications::Notifications),
    Get(get::Get),
    Acknowledge(order::Acknowledge),
    Ship(ship::Ship),
    OrderStatus(order::OrderStatus),
    Carriers(order::Carriers),
    PackingSlip(packing_slip::PackingSlip),
    Notes(notes::Notes),
    Fulfilment(fulfilment::Fulfilment),
    Product(product::Product),
    Stock(stock::Stock),
    Settings(seller::Settings),
    Restrictions(seller::Restrictions),
    Sellers(marketplace::Sellers),
    SalesFigures(marketplace::SalesFigures),
    GiftCard(gift_card::GiftCard),
    Webhook(webhook::Webhook),
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
        Command::Accounts(command) => command.run(&context),
        Command::Check(command) => command.run(&context).await,
        Command::Pull(command) => command.run(&context).await,
        Command::Categories(command) => command.run(&context).await,
        Command::Notifications(command) => command.run(&context).await,
        Command::Get(command) => command.run(&context).await,
        Command::Acknowledge(command) => command.run(&context).await,
        Command::Ship(command) => command.run(&context).await,
        Command::OrderStatus(command) => command.run(&context).await,
        Command::Carriers(command) => command.run(&context).await,
        Command::PackingSlip(command) => command.run(&context).await,
        Command::Notes(command) => command.run(&context).await,
        Command::Fulfilment(command) => command.run(&context).await,
        Command::Product(command) => command.run(&context).await,
        Command::Stock(command) => command.run(&context).await,
        Command::Settings(command) => command.run(&context).await,
        Command::Restrictions(command) => command.run(&context).await,
        Command::Sellers(command) => command.run(&context).await,
        Command::SalesFigures(command) => command.run(&context).await,
        Command::GiftCard(command) => command.run(&context).await,
        Command::Webhook(command) => command.run(&context).await,
    }
}
