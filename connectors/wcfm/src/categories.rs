//! Reading categories: `GET /products/categories`, all of them in one answer, whatever `per_page` says.

use tradepost_sdk::json::{Id, Text};
use tradepost_sdk::prelude::*;

use crate::{WcfmConnector, answer};

json::record! {
    struct CategoryJson<'a> {
        id: Id,
        name: Text<'a>,
        /// 0 at the root.
        parent: Option<Id>,
    }
}

impl<M> Categories for WcfmConnector<M> {
    fn list(_cursor: Option<String>) -> Result<CategoryPage, Error> {
        let answer = http::get("/products/categories").send()?;
        Ok(CategoryPage { items: decode(&answer)?, next: None, end: true })
    }
}

/// The categories of one answer.
pub fn decode(answer: &Answer) -> Result<Vec<Category>, Error> {
    json::map_array(answer::list(answer)?, |source: CategoryJson<'_>, _| Category {
        id: source.id.0,
        parent_id: source.parent.and_then(Id::nonzero),
        name: source.name.into_plain(),
        active: None,
    })
}
