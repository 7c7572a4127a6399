use std::sync::Arc;
use tradepost_runtime::*;
#[tokio::test]
async fn smoke() {
    let runtime = Runtime::new().unwrap();
    let bytes = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/components/wasm32-wasip2/component/tradepost_bench_guest.wasm"
    ))
    .unwrap();
    let t = std::time::Instant::now();
    let c = runtime.load(bytes).await.unwrap();
    eprintln!("load {:?} {c:?} {:?}", t.elapsed(), c.inspection());
    let a = runtime
        .open(
            &c,
            AccountConfig {
                id: "a/b".into(),
                grants: Grants { private_hosts: vec!["http://127.0.0.1:9".parse().unwrap()], ..Default::default() },
                ..Default::default()
            },
            Arc::new(MemoryStorage::new()),
        )
        .unwrap();
    let r = a.list_orders(&Default::default(), None).await.unwrap();
    eprintln!("{:?}", r.usage);
    let e = a.get_order("7").await.unwrap_err();
    eprintln!("{e} {e:?}");
    let q = commerce::ListQuery { statuses: vec!["wait".into()], ..Default::default() };
    eprintln!("{}", a.list_orders(&q, None).await.unwrap_err());
    eprintln!("{}", a.ship("1", &Default::default()).await.unwrap_err());
    let t = std::time::Instant::now();
    for _ in 0..1000 {
        let _ = a.list_orders(&Default::default(), None).await.unwrap();
    }
    eprintln!("per call {:?}", t.elapsed() / 1000);
}
