//! Tradepost connector for the OmniSeller HTKService4 interface of web shops: categories, orders, product upload and stock.
