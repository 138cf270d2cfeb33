/** What a feed needs of the server: publishing in a channel. */
export type Publish = (channel: string, data: unknown) => unknown

/** Something that publishes until it is closed. */
export interface Feed {
  close(): void
}
