/** Takes structured events with stable names (`client_disconnected`, …); what is not worth a line is a counter instead. */
export type Log = (event: string, details: Readonly<Record<string, unknown>>) => void
