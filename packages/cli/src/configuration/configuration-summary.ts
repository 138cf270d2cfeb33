import {
  type FusewireOptions,
  OPTION_DESCRIPTIONS,
  type OptionDescription,
  type ValueDescription,
} from '@fusewire/server/configuration'

/** The query of an address may carry a secret. */
const shownText = (value: unknown): string => {
  const text = String(value)
  return /^https?:/u.test(text) ? text.replace(/\?.*$/su, '?…') : text
}

/** A rule or another record as it would be written: what differs from the defaults, after the first of its options, which names it. */
const recordText = (record: Readonly<Record<string, unknown>>, [head, ...fields]: readonly ValueDescription[]): string => {
  const changed = fields.flatMap(({ name, default: initial }) => {
    const value = record[name]
    return value === undefined || value === initial ? [] : [`${name} ${Array.isArray(value) ? value.join(' ') : value}`]
  })
  return `${head ? shownText(record[head.name]) : ''} (${changed.length === 0 ? 'defaults' : changed.join(', ')})`
}

const shown = (option: OptionDescription, options: FusewireOptions): string => {
  const value = options[option.name]
  if (value === undefined) return 'not set'
  if (option.secret) return Array.isArray(value) ? `${value.length} set` : 'set'
  if (option.kind === 'records') {
    const records = value as readonly Readonly<Record<string, unknown>>[]
    return records.map((record) => recordText(record, option.fields)).join('; ') || 'none'
  }
  return Array.isArray(value) ? value.join(', ') || 'none' : shownText(value)
}

export interface SummaryLine {
  readonly name: string
  readonly value: string
  /** Does it differ from the default? */
  readonly changed: boolean
}

/** The resolved options by section, without secrets. */
export const summarize = (options: FusewireOptions): readonly { readonly title: string; readonly lines: SummaryLine[] }[] => {
  const sections = new Map<string, SummaryLine[]>()
  for (const option of OPTION_DESCRIPTIONS) {
    const value = options[option.name]
    const changed = JSON.stringify(value) !== JSON.stringify(option.default) && value !== undefined && !isDerived(option, options)
    const lines = sections.get(option.section) ?? []
    lines.push({ name: option.name, value: shown(option, options), changed })
    sections.set(option.section, lines)
  }
  return [...sections].map(([title, lines]) => ({ title, lines }))
}

/** `host` and `logFormat` get their defaults from `development`. */
const isDerived = ({ name }: OptionDescription, options: FusewireOptions): boolean =>
  (name === 'host' && options.host === (options.development ? '127.0.0.1' : '0.0.0.0')) ||
  (name === 'logFormat' && options.logFormat === (options.development ? 'pretty' : 'json'))
