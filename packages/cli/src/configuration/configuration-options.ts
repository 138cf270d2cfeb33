import { OPTION_DESCRIPTIONS, type OptionDescription } from '@fusewire/server/configuration'
import { type Command, Option } from 'commander'
import { ENVIRONMENT } from '../environment-names.ts'

const placeholder = ({ kind, unit, values, word }: OptionDescription): string => {
  if (kind === 'boolean') return ''
  if (kind === 'records') return ' <json>'
  if (kind === 'list') return ' <list>'
  if (kind === 'integer') return ` <${unit ?? 'number'}${word === undefined ? '' : `|${word}`}>`
  return values ? ` <${values.join('|')}>` : ' <text>'
}

const described = ({ description, default: initial, defaultText, kind, values }: OptionDescription): string => {
  const text = kind === 'list' && values ? `${description} Of ${values.join(', ')}.` : description
  if (defaultText !== undefined) return `${text} (default: ${defaultText})`
  if (initial === undefined || kind === 'boolean' || Array.isArray(initial)) return text
  return `${text} (default: ${String(initial)})`
}

const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text]

/** A flag of each option. Values stay texts: they are read where those of the environment are. */
const flagsOf = (option: OptionDescription): Option[] => {
  const { flag, kind, section } = option
  const group = `${section}:`
  if (kind !== 'boolean') {
    const one = new Option(`${flag}${placeholder(option)}`, described(option)).helpGroup(group)
    return [kind === 'list' || kind === 'records' ? one.argParser(collect) : one]
  }
  // Both ways of a switch are there, so that a flag can overrule a file; the one that differs from the default is shown.
  const on = new Option(`${flag} [true|false]`, option.description).helpGroup(group).hideHelp(option.default === true)
  const off = new Option(`--no-${flag.slice(2)}`, `Turn off: ${option.description}`)
    .helpGroup(group)
    .hideHelp(option.default !== true)
  return [on, off]
}

/** Adds `--config` and the flags of all options of the server. */
export const addConfigurationOptions = (command: Command): Command => {
  command.addOption(
    new Option('-c, --config <file>', `Configuration file (default: ${ENVIRONMENT.config}, or fusewire.yaml where there is one)`),
  )
  for (const description of OPTION_DESCRIPTIONS) for (const option of flagsOf(description)) command.addOption(option)
  return command
}
