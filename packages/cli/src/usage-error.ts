import { nearestKey } from '@fusewire/server/configuration'
import type { Command } from 'commander'
import type { CommandLineError } from './command-line-error.ts'

const NO_GUESS = ''

const guess = (written: string, known: readonly string[]): string => {
  const nearest = nearestKey(written, known)
  return nearest === undefined ? NO_GUESS : ` Did you mean ${nearest}?`
}

const pathOf = (command: Command): string => (command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name())

/** What commander says of a wrong command line, with the nearest right word and where to read on. */
export const explainUsage = ({ message, command }: CommandLineError): string => {
  const said = message.replace(/^error: /u, '').trim()
  const sentence = `${said[0]?.toUpperCase()}${said.slice(1)}${/[.?!]$/u.test(said) ? '' : '.'}`
  const [, flag] = /^unknown option '(--?[^'=]*)/u.exec(said) ?? []
  const [, name] = /^unknown command '([^']*)'/u.exec(said) ?? []
  const known = command.options.flatMap(({ long }) => (long ? [long] : []))
  const advice = flag
    ? guess(flag, known)
    : name
      ? guess(
          name,
          command.commands.map((one) => one.name()),
        )
      : NO_GUESS
  return `${sentence}${advice} See ${pathOf(command)} --help.`
}
