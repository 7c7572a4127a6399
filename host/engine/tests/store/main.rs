//! What every implementation of the store is held to, and what the one in a file is held to besides.

mod accounts;
mod backup;
mod commands;
mod each_store;
mod feed;
mod file;
mod inbox;
mod pages;
mod storage;
mod streams;
