//! Tradepost connector for help-ka.ru Market.
