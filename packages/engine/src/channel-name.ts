import { FusewireError, LIMITS } from '@fusewire/protocol'

/** Throws `invalid_channel` unless the name has 1 to 255 characters, none of them white space, a control or a lone surrogate. */
export const assertChannelName = (name: string): void => {
  if (name.length === 0 || name.length > LIMITS.channelLength || /[\s\p{Cc}\p{Cs}]/u.test(name))
    throw new FusewireError('invalid_channel')
}
