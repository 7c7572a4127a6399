//! The interface `product-writes`, whose parts follow different rules: see `product_creation` and `product_update`.

use tradepost_sdk::prelude::*;

use crate::{WcfmConnector, product_creation, product_update};

impl<M> ProductWrites for WcfmConnector<M> {
    fn create(fields: ProductFields) -> Result<Product, Error> {
        product_creation::create(&fields)
    }

    fn update(id: String, fields: ProductFields) -> Result<Product, Error> {
        product_update::update(&id, &fields)
    }

    fn delete(id: String) -> Result<(), Error> {
        product_update::delete(&id)
    }
}
