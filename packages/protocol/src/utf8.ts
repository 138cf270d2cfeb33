import { MessageError } from './decode.ts'

// The package is compiled without DOM and Node types; every platform of ours has these (WHATWG Encoding).
declare class TextDecoder {
  constructor(label: 'utf-8', options: { fatal: boolean; ignoreBOM: boolean })
  decode(bytes: Uint8Array): string
}

// ignoreBOM keeps a byte order mark in the text: RFC 8259 section 8.1 forbids it, and the JSON parser then says so.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads strict UTF-8: overlong forms, surrogates and cut characters are refused.
 * @throws {@link MessageError} `malformed_message`
 */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new MessageError('malformed_message', 'not valid UTF-8')
  }
}
