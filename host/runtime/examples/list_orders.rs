//! A platform that embeds Tradepost: it loads a connector and lists orders, with connectors' values in its own storage.
//! `cargo run -p tradepost-runtime --example list_orders -- hardtofind.wasm http://127.0.0.1:8081 USERNAME PASSWORD`
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use tradepost_runtime::storage::{Storage, StorageError, StorageUsage, StorageWrites};
use tradepost_runtime::{AccountConfig, Grants, Runtime, commerce::ListQuery};

/// The platform's own database: here each account's rows in a map.
#[derive(Default)]
struct Rows(Mutex<HashMap<String, BTreeMap<String, Vec<u8>>>>);
impl Rows {
    fn of(&self, account: &str) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().unwrap().get(account).cloned().unwrap_or_default()
    }
}
#[async_trait::async_trait]
impl Storage for Rows {
    async fn get(&self, account: &str, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.of(account).remove(key))
    }
    async fn list(&self, own: &str, head: &str, after: Option<&str>, n: usize) -> Result<Vec<String>, StorageError> {
        let wanted = |key: &String| key.starts_with(head) && after.is_none_or(|after| key.as_str() > after);
        Ok(self.of(own).into_keys().filter(wanted).take(n).collect())
    }
    async fn usage(&self, account: &str) -> Result<StorageUsage, StorageError> {
        let sizes = self.of(account).into_iter().map(|(key, value)| (key.len() + value.len()) as u64);
        Ok(StorageUsage { keys: sizes.len() as u64, bytes: sizes.sum() })
    }
    async fn commit(&self, account: &str, changes: StorageWrites) -> Result<(), StorageError> {
        let mut rows = self.of(account); // A database would check the preconditions, and do all this in a transaction.
        for write in changes.writes {
            rows.remove(&write.key);
            rows.extend(write.value.map(|value| (write.key, value)));
        }
        self.0.lock().unwrap().insert(account.to_owned(), rows);
        Ok(())
    }
}
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, url, username, password] = arguments.try_into().expect("FILE URL USERNAME PASSWORD");
    let runtime = Runtime::new()?;
    let connector = runtime.load(std::fs::read(file)?).await?;
    let config = AccountConfig {
        id: "acme/shop".into(),
        settings: serde_json::from_str(&format!(r#"{{"root-url": "{url}", "username": "{username}"}}"#))?,
        secrets: [("password".to_owned(), password.into())].into(),
        grants: Grants { private_hosts: vec![url.parse()?], ..Grants::default() }, // loopback is private
        auth: None,
    };
    let account = runtime.open(&connector, config, Arc::new(Rows::default()))?;
    let mut page = account.list_orders(&ListQuery::default(), None).await?.commit().await?;
    loop {
        page.items.iter().for_each(|order| println!("{} {}", order.number, order.status.raw));
        let (false, Some(cursor)) = (page.end, page.next) else { return Ok(()) };
        page = account.list_orders(&ListQuery::default(), Some(&cursor)).await?.commit().await?;
    }
}
