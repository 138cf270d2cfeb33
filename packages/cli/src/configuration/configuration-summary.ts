import { type FusewireOptions, OPTION_DESCRIPTIONS, type OptionDescription } from '@fusewire/server'

const shown = (option: OptionDescription, value: unknown): string => {
  if (value === undefined) return 'not set'
  if (!option.secret) return typeof value === 'string' ? value : JSON.stringify(value)
  return Array.isArray(value) ? `${value.length} set` : 'set'
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
    lines.push({ name: option.name, value: shown(option, value), changed })
    sections.set(option.section, lines)
  }
  return [...sections].map(([title, lines]) => ({ title, lines }))
}

/** `host` and `logFormat` get their defaults from `development`. */
const isDerived = ({ name }: OptionDescription, options: FusewireOptions): boolean =>
  (name === 'host' && options.host === (options.development ? '127.0.0.1' : '0.0.0.0')) ||
  (name === 'logFormat' && options.logFormat === (options.development ? 'pretty' : 'json'))
