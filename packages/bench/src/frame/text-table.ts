/** Lines of cells, each column as wide as its widest cell; the first so many are at the left, the others at the right. */
export const textTable = (lines: readonly (readonly string[])[], leftColumns: number): string => {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)))
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
