/**
 * A name as keys and subjects of any broker can have it: letters, digits, `-` and `_` stay, every other byte of its UTF-8 is `%XX`
 * (RFC 3986, section 2.1), and half of a surrogate pair is `%uXXXX`. Two names never become one.
 */
export const brokerName = (name: string): string => name.replaceAll(/[^\w-]/gu, escaped)

const escaped = (sign: string): string => {
  const code = sign.codePointAt(0) ?? 0
  if (code >= 0xd800 && code <= 0xdfff) return `%u${code.toString(16).toUpperCase()}`
  return code < 0x80 ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : encodeURIComponent(sign)
}
