import { MessageError } from './decode.ts'

// The package is compiled without DOM and Node types; every platform of ours has these (WHATWG Encoding).
declare class TextDecoder {
  constructor(label: 'utf-8', options: { fatal: boolean; ignoreBOM: boolean })
  decode(bytes: Uint8Array): string
}
declare class TextEncoder {
  encodeInto(text: string, target: Uint8Array): { readonly written: number }
}

// ignoreBOM keeps a byte order mark in the text: RFC 8259 section 8.1 forbids it, and the JSON parser then says so.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

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

/** Writes text to the start of `target`, which has room for it, and gives the bytes written. A lone surrogate becomes U+FFFD. */
export const writeUtf8 = (text: string, target: Uint8Array): number => encoder.encodeInto(text, target).written
