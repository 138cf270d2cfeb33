export const NDJSON_HEADERS = { 'content-type': 'application/x-ndjson; charset=utf-8' } as const

/** A blank line: skipped by every reader of lines. */
export const NDJSON_KEEP_ALIVE = Buffer.from('\n')
