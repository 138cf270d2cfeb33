/** A compiled channel pattern. */
export interface Pattern {
  test(channel: string): boolean
}

/** `*`: one or more characters other than a colon. */
const STAR = -1
/** `**`: one or more characters. */
const DOUBLE_STAR = -2
const COLON = 58

/**
 * Compiles a channel pattern: `*` stands for one or more characters other than `:`, `**` for one or more of any, everything else
 * for itself. `chat:*` matches `chat:lobby`, not `chat:lobby:typing`.
 */
export const compilePattern = (pattern: string): Pattern => {
  const tokens = pattern
    .split(/(\*\*|\*)/)
    .flatMap((part) => (part === '**' ? DOUBLE_STAR : part === '*' ? STAR : [...part].flatMap(codeUnits)))
  return { test: (channel) => matches(tokens, channel) }
}

const codeUnits = (character: string): number[] =>
  Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))

/**
 * No regular expression: those try every way, and a few wildcards in a pattern stop the process for minutes. Here only the last
 * wildcard of each kind is ever tried again. That is enough: what an earlier one could give away, a later one of its kind can take,
 * up to a colon, which no `*` passes.
 */
const matches = (tokens: readonly number[], channel: string): boolean => {
  let at = 0
  let place = 0
  // Where to go on when the last wildcard of a kind takes one character more; 0 when there is none.
  let afterStar = 0
  let starEnd = 0
  let afterDoubleStar = 0
  let doubleStarEnd = 0
  while (place < channel.length) {
    const token = tokens[at]
    const character = channel.charCodeAt(place)
    if (token === DOUBLE_STAR) {
      afterStar = 0
      afterDoubleStar = ++at
      doubleStarEnd = ++place
    } else if (token === STAR && character !== COLON) {
      afterStar = ++at
      starEnd = ++place
    } else if (token === character) {
      at++
      place++
    } else if (afterStar > 0 && channel.charCodeAt(starEnd) !== COLON) {
      at = afterStar
      place = ++starEnd
    } else if (afterDoubleStar > 0) {
      afterStar = 0
      at = afterDoubleStar
      place = ++doubleStarEnd
    } else return false
  }
  return at === tokens.length
}
