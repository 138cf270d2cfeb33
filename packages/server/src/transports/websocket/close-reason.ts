/** Bytes of a close frame's reason at most (RFC 6455 section 5.5: 125 with the code). */
const MAX_BYTES = 123

/** Cuts a reason to what a close frame can carry, at a character's end. */
export const closeReason = (reason: string): string => {
  const bytes = Buffer.from(reason)
  if (bytes.length <= MAX_BYTES) return reason
  let end = MAX_BYTES
  // Continuation bytes of UTF-8 are 10xxxxxx.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
