import { resolve } from 'node:path'
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml'
import type { ConfigurationProblem } from '../configuration-error.ts'
import { OPTION_DESCRIPTIONS } from '../describe-options.ts'
import type { Source } from './source.ts'

const PATHS = OPTION_DESCRIPTIONS.filter((option) => option.path).map((option) => option.name)

/** `rules[0].publish` as the keys that lead there. */
const keysOf = (option: string): (string | number)[] =>
  option.split(/[.[\]]+/u).flatMap((key) => (key === '' ? [] : [/^\d+$/u.test(key) ? Number(key) : key]))

/** Where an option is: its name, or the item of a list. Of an option that is missing, the one around it. */
const offsetOf = (document: Document, option: string): number | undefined => {
  for (const keys = keysOf(option); keys.length > 0; keys.pop()) {
    const parent = document.getIn(keys.slice(0, -1), true)
    const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(keys.at(-1))) : undefined
    const node = pair ? pair.key : document.getIn(keys, true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return undefined
}

const empty = (problems: readonly ConfigurationProblem[]): Source => ({ values: {}, problems, where: () => undefined })

/**
 * Reads the options from a YAML text. Files and folders that it names are relative to `folder`.
 * @param name what messages call the text; line and column are added
 */
export const yamlSource = (text: string, name: string, folder: string): Source => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) return empty(faults.map((fault) => ({ where: at(fault.pos[0]), message: fault.message })))
  let content: unknown
  try {
    content = document.toJS()
  } catch (error) {
    // An alias without its anchor, or aliases that would grow without bound.
    return empty([{ where: name, message: error instanceof Error ? error.message : String(error) }])
  }
  if (content === null) return empty([])
  if (!isMap(document.contents)) return empty([{ where: at(0), message: 'must be options, one "name: value" a line' }])
  const values = content as Record<string, unknown>
  for (const path of PATHS)
    if (typeof values[path] === 'string' && values[path] !== '') values[path] = resolve(folder, values[path])
  return {
    values,
    problems: [],
    where: (option) => {
      const offset = offsetOf(document, option)
      return offset === undefined ? undefined : at(offset)
    },
  }
}
