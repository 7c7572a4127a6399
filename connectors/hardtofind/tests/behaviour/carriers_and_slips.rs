//! Carriers, and the slip that must lie in each parcel.

use tradepost_hardtofind::HardToFind;
use tradepost_sdk::prelude::*;
use tradepost_sdk::testing::Host;

/// Seed 001, "GET /shipping-providers".
const PROVIDERS: &str = include_str!("../fixtures/seeds/hardtofind-shipping-providers.json");

#[test]
fn carriers_are_listed_as_documented() {
    let host = Host::new().then(Answer::json(200, PROVIDERS));
    let carriers = host.run(<HardToFind as Carriers>::list).unwrap();
    assert_eq!(
        carriers,
        [Carrier {
            id: "8".into(),
            name: "Royal Mail".into(),
            tracking_url: Some("https://www.royalmail.com/track-your-item".into()),
            takes_tracking_number: false,
        }]
    );
    assert_eq!(host.requests()[0].url(), "/shipping-providers");
}

#[test]
fn a_slip_is_a_pdf_or_an_error() {
    let slip = |answer: Answer| {
        let host = Host::new().then(answer);
        let slip = host.run(|| <HardToFind as PackingSlips>::get("123456".into()));
        assert_eq!(host.requests()[0].url(), "/order/123456/packing-slip");
        assert_eq!(host.requests()[0].header_value("accept"), Some("application/pdf"));
        slip
    };
    let pdf = b"%PDF-1.4\n\xe2\xe3\xcf\xd3".to_vec();
    let document = slip(Answer::new(200, pdf.clone())).unwrap();
    assert_eq!(
        (document.media_type.as_str(), document.file_name.as_str()),
        ("application/pdf", "packing-slip-123456.pdf")
    );
    assert_eq!(document.content, pdf);

    let ErrorKind::Protocol(unexpected) = slip(Answer::new(200, "<html>Log in</html>")).unwrap_err().kind else {
        panic!("a page is no slip")
    };
    assert_eq!(unexpected.excerpt, "<html>Log in</html>");
    assert_eq!(slip(Answer::new(404, "")).unwrap_err().kind, ErrorKind::NotFound);
    assert!(matches!(slip(Answer::new(502, "")).unwrap_err().kind, ErrorKind::Transient(_)));
}
