/** Where a node takes its clients. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
  /** Of its WebSocket. */
  readonly path: string
}
