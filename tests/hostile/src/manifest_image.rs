//! A manifest as the canonical ABI lays it out in a guest's memory: what a hand-written `describe` returns a pointer to.
//!
//! Field order and types are those of `record manifest` in the contract (`wit/manifest.wit`). Strings are 8 bytes (address,
//! length), lists likewise, `option<string>` is 12, all aligned to 4.

/// The parts of a manifest that attacks vary. Everything else is empty or absent.
#[derive(Clone, Debug)]
pub struct ManifestImage {
    /// The connector's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The settings' JSON Schema.
    pub settings_schema: String,
    /// The root URL, a template.
    pub root_url: String,
    /// The origins, templates.
    pub hosts: Vec<String>,
    /// Whether it asks for a way to authenticate that this host does not carry out (`hmac-signed`).
    pub signs_requests: bool,
}

impl Default for ManifestImage {
    fn default() -> Self {
        Self {
            id: "hand-written".into(),
            version: "0.1.0".into(),
            settings_schema: r#"{"type":"object","properties":{"password":{"type":"string","writeOnly":true}}}"#.into(),
            root_url: "https://shop.example".into(),
            hosts: vec!["https://shop.example".into()],
            signs_requests: false,
        }
    }
}

/// Bytes of `record manifest`.
const RECORD: usize = 128;
/// Bytes of `record auth-recipe`.
const RECIPE: usize = 76;
/// Index of the case `hmac-signed` in `variant auth-method`, which stands behind the recipe's name.
const HMAC_SIGNED: u8 = 5;
const METHOD_AT: usize = 8;

impl ManifestImage {
    /// The image for this address: the record, followed by what it points to.
    pub(crate) fn bytes(&self, address: u32) -> Vec<u8> {
        let mut image = Image { address, bytes: vec![0; RECORD] };
        image.string(0, &self.id);
        image.string(8, &self.id);
        image.string(16, &self.version);
        image.string(24, "hostile tests");
        image.string(44, &self.settings_schema);
        image.string(52, &self.root_url);
        let hosts = image.append(&vec![0; 8 * self.hosts.len()]);
        image.pair(60, hosts, self.hosts.len());
        for (index, host) in self.hosts.iter().enumerate() {
            image.string(hosts + 8 * index, host);
        }
        if self.signs_requests {
            let recipe = image.append(&[0; RECIPE]);
            image.pair(76, recipe, 1);
            image.string(recipe, "signed");
            image.bytes[recipe + METHOD_AT] = HMAC_SIGNED;
        }
        image.bytes
    }
}

struct Image {
    address: u32,
    bytes: Vec<u8>,
}

impl Image {
    /// Adds bytes, aligned to 4, and gives their offset.
    fn append(&mut self, bytes: &[u8]) -> usize {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        offset
    }

    /// Writes address and length at an offset.
    fn pair(&mut self, at: usize, target: usize, length: usize) {
        let address = self.address + u32::try_from(target).expect("an image is small");
        let length = u32::try_from(length).expect("an image is small");
        self.bytes[at..at + 4].copy_from_slice(&address.to_le_bytes());
        self.bytes[at + 4..at + 8].copy_from_slice(&length.to_le_bytes());
    }

    fn string(&mut self, at: usize, text: &str) {
        let target = self.append(text.as_bytes());
        self.pair(at, target, text.len());
    }
}
