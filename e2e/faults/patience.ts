/** What the clients by hand go by, in milliseconds: how often they say that they are there, and what they count as a dead line. */
export const HEARTBEAT_MS = 800
export const PATIENCE_MS = 3_000
/** The longest wait before they try again. */
export const BACKOFF_MS = 50
/** How often they look. */
export const TURN_MS = 5
