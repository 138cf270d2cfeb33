import { FusewireError, type Position } from '@fusewire/protocol'

/** The strong entity tag (RFC 9110 section 8.8.3) of a document: the position that it is at. */
export const entityTag = ({ epoch, offset }: Position): string => `"${encodeURIComponent(epoch)}:${offset}"`

/** Whether `If-None-Match` names this tag (RFC 9110 section 13.1.2). */
export const isNamed = (ifNoneMatch: string | undefined, tag: string): boolean =>
  ifNoneMatch !== undefined &&
  (ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((named) => named.trim().replace(/^W\//, '') === tag))

/** The position that `If-Match` asks for. Throws `invalid_field` for anything but one tag of a document. */
export const positionOfTag = (ifMatch: string): Position => {
  const [, epoch, offset] = /^"([\w.~!*'()%-]+):(\d{1,16})"$/.exec(ifMatch.trim()) ?? []
  if (epoch === undefined || offset === undefined)
    throw new FusewireError('invalid_field', 'If-Match takes one ETag of this document')
  try {
    return { epoch: decodeURIComponent(epoch), offset: Number(offset) }
  } catch {
    throw new FusewireError('invalid_field', 'If-Match takes one ETag of this document')
  }
}
