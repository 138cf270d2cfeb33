/** Cells for people: the first so many columns are words, the others are numbers. */
export interface Table {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly leftColumns: number
}

/** Each column as wide as its widest cell; words are at the left, numbers at the right. */
export const textTable = ({ header, rows, leftColumns }: Table): string => {
  const lines = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)))
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => (column < leftColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A number for people: with so many digits, and an empty cell for one that is not known. */
export const cell = (value: number | undefined, digits: number): string =>
  value === undefined || Number.isNaN(value)
    ? ''
    : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
