import { setFlagsFromString } from 'node:v8'

/**
 * By how much V8 enlarges its new space when much has survived in it (`--semi-space-growth-factor`), which it looks up each time. Code that
 * is loaded survives: a server would begin with a new space of 32 MB, the largest there is, whatever it has to do later. A small one stays
 * in the processor's cache, and is collected in less time (docs/performance-findings.md, "The tail of an echo").
 */
const enlargeBy = (factor: number): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

/** Keeps V8's new space small while the command is loaded. */
export const keepNewSpace = (): void => enlargeBy(1)

/** Lets it become as large again as what the command does needs: by V8's default. */
export const letNewSpaceGrow = (): void => enlargeBy(2)
