"""The real process, the real SDKs, and a real receiver at the other end."""
