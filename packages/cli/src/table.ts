/** A column of a table: numbers stand at its right, with `align`. */
export interface Column<Row> {
  readonly title: string
  readonly align?: 'right'
  readonly value: (row: Row) => string | number
}

/** Rows under their titles, each column as wide as its widest value. */
export const tableLines = <Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] => {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => String(value(row))))]
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)))
  return cells.map((line) =>
    line
      .map((cell, at) => (columns[at]?.align === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}
