/** Where the engine gets time and chance from, so that it stays pure. */
export interface Environment {
  /** Milliseconds since the epoch. */
  now(): number
  /** Anywhere in [0, 1), each place as likely as the other. */
  random(): number
  /** A public identifier, unique over all nodes. */
  id(): string
  /** A secret of at least 128 bits. */
  secret(): string
}
