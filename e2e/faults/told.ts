/** A place in a stream, as the wire has it. */
export interface Place {
  readonly epoch: string
  readonly offset: number
}

/** What a subscriber has been told about a channel; a list of these is in the order in which it was told. */
export type Told =
  | {
      readonly kind: 'subscribed'
      readonly position: Place
      /** It had named the position that it has got to. */
      readonly wasRecovering: boolean
      readonly recovered: boolean
      /** Of a state channel, unless it was recovered. */
      readonly document?: unknown
    }
  | { readonly kind: 'publication'; readonly offset: number; readonly data: unknown; readonly patch?: boolean | undefined }
