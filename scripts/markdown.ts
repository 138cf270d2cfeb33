export const code = (text: string): string => `\`${text}\``

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row).join('\n')

/** The markers between which a page is made: of `options`, by `config-docs.ts`. */
export interface Markers {
  readonly of: string
  readonly by: string
}

/**
 * The page with what is between its markers made anew.
 * @throws when it has lost them, so that it does not go out of date in silence.
 */
export const remade = (page: string, { of, by }: Markers, made: string): string => {
  const begin = `<!-- ${of}: made by scripts/${by} -->`
  const end = `<!-- ${of} end -->`
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the page has lost its markers ${begin} and ${end}`)
  return `${page.slice(0, from)}${begin}\n\n${made}\n\n${page.slice(to)}`
}
