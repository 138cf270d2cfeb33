// The package is compiled without DOM and Node types; every platform of ours has this (WHATWG HTML).
declare const btoa: (binary: string) => string

/** As many arguments as every platform lets a call have. */
const CHUNK_BYTES = 8192

/** Base64 with the standard alphabet and padding (RFC 4648 section 4). */
export const toBase64 = (bytes: Uint8Array): string => {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES))
  return btoa(binary)
}
