//! Tradepost connector for the HFT71 production API: hand orders over, follow them, read stock, receive webhooks.
