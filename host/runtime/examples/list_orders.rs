//! A platform that embeds Tradepost: it loads a connector and lists orders, with connectors' values in its own storage.
//!
//! `cargo run -p tradepost-runtime --example list_orders -- hardtofind.wasm http://127.0.0.1:8081 USERNAME PASSWORD`
use std::{collections::BTreeMap, sync::Arc, sync::Mutex};

use tradepost_runtime::storage::{Storage, StorageError, StorageUsage, StorageWrites};
use tradepost_runtime::{AccountConfig, Grants, Runtime, commerce::ListQuery};

/// The platform's own database; here a map whose rows belong to an account.
#[derive(Default)]
struct Rows(Mutex<BTreeMap<(String, String), Vec<u8>>>);

#[async_trait::async_trait]
impl Storage for Rows {
    async fn get(&self, account: &str, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.0.lock().unwrap().get(&(account.into(), key.into())).cloned())
    }
    async fn list(
        &self,
        account: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, StorageError> {
        let rows = self.0.lock().unwrap();
        let keys =
            rows.keys().filter(|(owner, key)| owner == account && key.starts_with(prefix)).map(|(_, key)| key.clone());
        Ok(keys.filter(|key| after.is_none_or(|after| key.as_str() > after)).take(limit).collect())
    }
    async fn usage(&self, account: &str) -> Result<StorageUsage, StorageError> {
        let rows = self.0.lock().unwrap();
        let own = rows.iter().filter(|((owner, _), _)| owner == account);
        Ok(own.fold(StorageUsage::default(), |sum, ((_, key), value)| StorageUsage {
            keys: sum.keys + 1,
            bytes: sum.bytes + (key.len() + value.len()) as u64,
        }))
    }
    async fn commit(&self, account: &str, changes: StorageWrites) -> Result<(), StorageError> {
        let mut rows = self.0.lock().unwrap(); // A database would check the preconditions and write in one transaction.
        for write in changes.writes {
            let key = (account.to_owned(), write.key);
            write.value.map_or_else(|| rows.remove(&key), |value| rows.insert(key.clone(), value));
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let [file, url, username, password] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().expect("FILE URL USERNAME PASSWORD");
    let runtime = Runtime::new()?;
    let connector = runtime.load(std::fs::read(file)?).await?;
    let config = AccountConfig {
        id: "acme/shop".into(),
        settings: serde_json::from_value(serde_json::json!({ "root-url": url, "username": username }))?,
        secrets: [("password".to_owned(), password.into())].into(),
        grants: Grants { private_hosts: vec![url.parse()?], ..Grants::default() }, // A sandbox on loopback; `hosts` for the real one.
        ..AccountConfig::default()
    };
    let account = runtime.open(&connector, config, Arc::new(Rows::default()))?;
    let mut cursor = None;
    loop {
        let page = account.list_orders(&ListQuery::default(), cursor.as_deref()).await?.commit().await?;
        page.items.iter().for_each(|order| {
            println!("{} {:?} {} {}", order.number, order.status.order, order.totals.total, order.currency)
        });
        (cursor, _) = (
            page.next,
            if page.end {
                return Ok(());
            },
        );
    }
}
