"""analytics.js in a real browser: Debian's Chromium, pages of another origin, a whole relay behind them."""
