/** What a feed needs of the server: publishing in a channel, or patching its document. */
export type Publish = (channel: string, data: unknown, options?: { readonly patch?: boolean }) => unknown

/** Something that publishes until it is closed. */
export interface Feed {
  close(): void
}
